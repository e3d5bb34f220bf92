import { type Credentials, sign } from "aws4";
import type { S3Credential } from "../config/s3-credential.ts";

/** What a signature is made with. */
export interface Signing {
  readonly credential: S3Credential;
  readonly region: string;
  readonly epochMs: number;
}

/** A request to sign. `payloadSha256` is the hex of its body's hash, which the store then verifies, or UNSIGNED-PAYLOAD. */
export interface Signable {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly payloadSha256: string;
}

/** What a store takes in place of a hash when a body is not signed. */
export const unsignedPayload = "UNSIGNED-PAYLOAD";

/** The longest that a signed URL may hold. */
export const expiresMaxS = 604_800;

/** The headers of a request with AWS Signature Version 4; all that are given are signed but `Range`. Nothing is read from the environment. */
export function signedHeaders(signable: Signable, signing: Signing): Readonly<Record<string, string>> {
  const { method, url, payloadSha256 } = signable;
  const headers = {
    ...signable.headers,
    "X-Amz-Content-Sha256": payloadSha256,
    "X-Amz-Date": dateOf(signing.epochMs),
    ...tokenOf(signing.credential),
  };
  const signed = sign(
    { ...scopeOf(signing), method, host: url.host, path: `${url.pathname}${url.search}`, headers },
    keysOf(signing.credential),
  );
  return Object.fromEntries(Object.entries(signed.headers ?? {}).map(([name, value]) => [name, String(value)]));
}

/** The URL with a signature for GET in its query, good for `expiresS` from the signing's time on. */
export function presigned(url: URL, signing: Signing, expiresS: number): string {
  const query = `X-Amz-Date=${dateOf(signing.epochMs)}&X-Amz-Expires=${expiresS}`;
  const path = `${url.pathname}${url.search === "" ? "?" : `${url.search}&`}${query}`;
  const signed = sign(
    { ...scopeOf(signing), method: "GET", host: url.host, path, signQuery: true },
    keysOf(signing.credential),
  );
  return `${url.origin}${signed.path ?? path}`;
}

function scopeOf({ region }: Signing): { readonly service: string; readonly region: string } {
  return { service: "s3", region };
}

/** Without a token of its own the signer must not look for one. */
function keysOf({ accessKeyId, secretAccessKey, sessionToken }: S3Credential): Credentials {
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
}

function tokenOf({ sessionToken }: S3Credential): Readonly<Record<string, string>> {
  return sessionToken === undefined ? {} : { "X-Amz-Security-Token": sessionToken };
}

/** `20130524T000000Z`. */
function dateOf(epochMs: number): string {
  return new Date(epochMs).toISOString().replaceAll(/[:-]|\.\d{3}/g, "");
}
