import { Failure } from "../errors/failure.ts";
import type { Unavailable } from "./remote.ts";
import { unavailable } from "./unavailable.ts";

/** OpenSSL's and Node's codes for a certificate that is not accepted, as what is wrong with it. */
const certificateFaults: ReadonlyMap<string, string> = new Map([
  ["CERT_HAS_EXPIRED", "has expired"],
  ["CERT_NOT_YET_VALID", "is not valid yet"],
  ["CERT_REVOKED", "was revoked"],
  ["CERT_UNTRUSTED", "is not trusted"],
  ["CERT_REJECTED", "is not trusted"],
  ["CERT_SIGNATURE_FAILURE", "has a wrong signature"],
  ["CERT_CHAIN_TOO_LONG", "has too long a chain"],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "is for another name"],
  ["HOSTNAME_MISMATCH", "is for another name"],
  ["INVALID_CA", "is signed by what is no authority"],
  ["INVALID_PURPOSE", "is not for servers"],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "is signed by itself"],
  ["SELF_SIGNED_CERT_IN_CHAIN", "is signed by an authority that is not trusted here"],
  ["UNABLE_TO_GET_ISSUER_CERT", "is signed by an authority that is not trusted here"],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "is signed by an authority that is not trusted here"],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "is signed by an authority that is not trusted here"],
]);

const connectionFaults: ReadonlyMap<string, string> = new Map([
  ["ECONNREFUSED", "refused the connection"],
  ["ECONNRESET", "closed the connection without a whole answer"],
  ["EHOSTUNREACH", "has no route to it"],
  ["ENETUNREACH", "has no route to it"],
  ["ENOTFOUND", "has no address"],
  ["EPROTO", "did not complete the TLS handshake; it may speak plain HTTP"],
  ["ERR_PROXY_TUNNEL", "could not be reached: the proxy refused"],
  ["ETIMEDOUT", "did not accept the connection in time"],
]);

/** Errors after which another address of the same name may still answer: nothing was sent. */
const notConnected: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ETIMEDOUT",
  "FailedToOpenSocket",
]);

/** What an error of the network says: the host, what it did, and the error's code. Never the error's own text. */
export function networkFault(host: string, error: unknown): Unavailable {
  const code = errorCode(error);
  const certificate = certificateFaults.get(code);
  if (certificate !== undefined)
    return unavailable("unreachable", `the certificate of ${host} ${certificate} (${code})`);
  return unavailable("unreachable", `${host} ${connectionFaults.get(code) ?? "could not be reached"} (${code})`);
}

/** True when the error came before a connection was there. */
export function isNotConnected(error: unknown): boolean {
  return notConnected.has(errorCode(error));
}

/** True when it was not the request to this URL that failed, but what its body comes from: another request, or our own end of it. */
export function isOfAnother(error: unknown, url: string): boolean {
  if (error instanceof Failure) return true;
  if (!(error instanceof Error) || !("path" in error) || typeof error.path !== "string") return false;
  return URL.canParse(error.path) && new URL(error.path).href !== new URL(url).href;
}

function errorCode(error: unknown): string {
  if (!(error instanceof Error) || !("code" in error)) return "no code";
  return typeof error.code === "string" ? error.code : "no code";
}
