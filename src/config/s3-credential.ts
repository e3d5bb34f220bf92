/** What proves this program to an S3 store. `sessionToken` comes with keys that are good for some hours only. */
export interface S3Credential {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | undefined;
}

/** Gives the credential when one is needed; `undefined` for anonymous. Throws a `Failure` when it cannot be read. */
export type S3CredentialSource = () => Promise<S3Credential | undefined>;
