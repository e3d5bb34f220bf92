/** What proves this program to a registry. */
export type Credential =
  | { readonly kind: "basic"; readonly username: string; readonly password: string }
  /** An OAuth2 refresh token that docker calls an identity token. */
  | { readonly kind: "identity-token"; readonly token: string };

/** Gives the credential when one is needed; `undefined` for anonymous. Throws a `Failure` when it cannot be read. */
export type CredentialSource = () => Promise<Credential | undefined>;
