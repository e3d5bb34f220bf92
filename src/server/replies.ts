import type { FailureCode } from "../errors/failure.ts";
import type { Unavailable } from "../registry/remote.ts";
import type { Refusal } from "../rules/decide.ts";

/** The status of a failure that ends as an answer. */
const statusOf: Readonly<Partial<Record<FailureCode, number>>> = {
  UPSTREAM_DENIED: 502,
  UPSTREAM_EGRESS_REFUSED: 502,
  UPSTREAM_FAILED: 502,
  UPSTREAM_TIMEOUT: 504,
  UPSTREAM_WRONG_BYTES: 502,
};

/** An answer whose body is an OCI error. OCI distribution spec v1.1, "Error codes". */
export function errorReply(
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const body = JSON.stringify({ errors: [{ code, message, detail: null }] });
  return new Response(body, {
    status,
    headers: { "Content-Type": "application/json", "X-Content-Type-Options": "nosniff", ...headers },
  });
}

/** A refusal of the decision. */
export function refusalReply({ status, code, message, allow }: Refusal): Response {
  return errorReply(status, code, message, allow === undefined ? {} : { Allow: allow });
}

/** An upstream gave no information: which one and why, as 429, 502 or 504. Never as 404, which clients remember. */
export function unavailableReply({ reason, message, retryAfterMs }: Unavailable, upstream: string): Response {
  const headers = originHeaders(upstream);
  if (retryAfterMs !== undefined) headers["Retry-After"] = String(Math.max(1, Math.ceil(retryAfterMs / 1000)));
  if (reason === "rate-limited") return errorReply(429, "TOOMANYREQUESTS", message, headers);
  return errorReply(reason === "timeout" ? 504 : 502, "UNAVAILABLE", message, headers);
}

/** The status for a failure that was thrown: an upstream's is a gateway's, anything else is our own fault. */
export function failureStatus(code: FailureCode): number {
  return statusOf[code] ?? 500;
}

/** Headers of everything that came from an upstream. */
export function originHeaders(upstream: string): Record<string, string> {
  return { "OCI-Namespace": upstream, "Docker-Distribution-Api-Version": "registry/2.0" };
}

/** Headers of everything that our own repositories answer. */
export const ownHeaders: Readonly<Record<string, string>> = { "Docker-Distribution-Api-Version": "registry/2.0" };

/**
 * The media type of an upstream's answer as it is sent on: those of manifests and lists. Anything else goes as bytes, so that
 * no upstream puts a page or a script under this server's name.
 */
export function contentType(mediaType: string): string {
  return /^application\/(?:json|vnd\.[\w.+-]+\+(?:json|prettyjws))$/.test(mediaType)
    ? mediaType
    : "application/octet-stream";
}

/** Says that an answer is older than its upstream's word, and why. OCI distribution spec v1.1, "Warnings". */
export function warningHeaders(ageMs: number | undefined, warning: string | undefined): Record<string, string> {
  if (warning === undefined) return ageMs === undefined ? {} : { Age: String(Math.floor(ageMs / 1000)) };
  const text = warning
    .replaceAll(/[^\x20-\x7e]/g, " ")
    .replaceAll(/["\\]/g, "'")
    .slice(0, 200);
  return { Age: String(Math.floor((ageMs ?? 0) / 1000)), Warning: `299 - "${text}"` };
}
