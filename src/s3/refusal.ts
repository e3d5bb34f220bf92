import type { Clock } from "../registry/clock.ts";
import { rateAdvice } from "../registry/rate-headers.ts";
import type { Unavailable, UnavailableReason } from "../registry/remote.ts";
import { unavailable } from "../registry/unavailable.ts";
import { childText, type XmlElement } from "./xml.ts";

/** An answer of a store that is no success, with its error read. */
export interface Refusal {
  readonly kind: "refusal";
  readonly host: string;
  readonly status: number;
  readonly headers: Headers;
  /** `NoSuchKey`, `SlowDown`; absent where the answer had none, as those to HEAD. Amazon S3 API reference, "Error responses". */
  readonly code: string | undefined;
  /** The region that the store wants to be asked for, when it says so. */
  readonly region: string | undefined;
}

/** Reads what an error says of itself. Only names are taken: its texts may repeat keys and signatures. */
export function refusalOf(host: string, response: Response, error: XmlElement | undefined): Refusal {
  const { status, headers } = response;
  const region = headers.get("x-amz-bucket-region") ?? childText(error, "Region");
  return {
    kind: "refusal",
    host,
    status,
    headers,
    code: error?.name === "Error" ? nameIn(childText(error, "Code")) : undefined,
    region: nameIn(region ?? undefined),
  };
}

/** True when the same request may succeed a little later. */
export function isPassing({ status, code }: Refusal): boolean {
  if (code !== undefined && passing.has(code)) return true;
  return status === 408 || status === 429 || (status >= 500 && status !== 501);
}

/** What a refusal means, as no knowledge; half a sentence that names the store, the status and what to do. */
export function explain(refusal: Refusal, clock: Clock): Unavailable {
  const { host, status, code, headers } = refusal;
  const meaning = meaningOf(refusal, clock);
  const { pauseMs } = rateAdvice(status, headers, clock.epochMs());
  const answered = `${host} answered ${status}${code === undefined ? "" : ` ${code}`}`;
  const message = meaning.advice === undefined ? answered : `${answered}; ${meaning.advice}`;
  return unavailable(meaning.reason, message, pauseMs > 0 ? { status, retryAfterMs: pauseMs } : { status });
}

interface Meaning {
  readonly reason: UnavailableReason;
  readonly advice?: string;
}

const passing: ReadonlySet<string> = new Set([
  "InternalError",
  "OperationAborted",
  "RequestTimeout",
  "ServiceUnavailable",
  "SlowDown",
  "XMinioServerNotInitialized",
]);

const meanings: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ["AccessDenied", { reason: "denied", advice: "the access key may not do that there; check its policy" }],
  ["AllAccessDisabled", { reason: "denied", advice: "the bucket is closed to everybody" }],
  ["ExpiredToken", { reason: "denied", advice: "the session token is over; get a new one" }],
  ["InvalidAccessKeyId", { reason: "denied", advice: "the store does not know the access key" }],
  ["InvalidToken", { reason: "denied", advice: "the session token is not one of the access key" }],
  ["SignatureDoesNotMatch", { reason: "denied", advice: "check the secret access key and the region" }],
  // versitygw's word for an access key that it does not know.
  ["XAdminUserNotFound", { reason: "denied", advice: "the store does not know the access key" }],
  ["NoSuchBucket", { reason: "failed", advice: "there is no such bucket; check its name, endpoint and region" }],
  ["BadDigest", { reason: "wrong-bytes", advice: "what arrived there is not what its digest says" }],
  ["InvalidDigest", { reason: "wrong-bytes", advice: "what arrived there is not what its digest says" }],
  ["XAmzContentChecksumMismatch", { reason: "wrong-bytes", advice: "what arrived there is not what its digest says" }],
  ["XAmzContentSHA256Mismatch", { reason: "wrong-bytes", advice: "what arrived there is not what its digest says" }],
  ["EntityTooLarge", { reason: "refused", advice: "the object is too large for the store" }],
  ["InvalidRange", { reason: "refused", advice: "the object has no such bytes" }],
  [
    "NotImplemented",
    { reason: "refused", advice: "the store does not know what was asked for, such as If-None-Match" },
  ],
]);

function meaningOf(refusal: Refusal, clock: Clock): Meaning {
  const { status, code } = refusal;
  const skew = code === "RequestTimeTooSkewed" || status === 403 ? skewOf(refusal, clock) : undefined;
  if (skew !== undefined) return { reason: "denied", advice: skew };
  const known = code === undefined ? undefined : meanings.get(code);
  return known ?? elsewhere(refusal) ?? { reason: reasonOf(status) };
}

/** Stores refuse signatures that are more than 15 minutes from their own time. */
function skewOf({ code, headers }: Refusal, clock: Clock): string | undefined {
  const theirsMs = Date.parse(headers.get("date") ?? "");
  const minutes = Math.round((clock.epochMs() - theirsMs) / 60_000);
  if (Math.abs(minutes) >= 5) {
    return `the clock of this machine is ${Math.abs(minutes)} minutes ${minutes > 0 ? "ahead of" : "behind"} the store's; set it right`;
  }
  return code === "RequestTimeTooSkewed"
    ? "the clock of this machine and the store's differ; set them right"
    : undefined;
}

/** A store that is asked for a bucket of another region says which. */
function elsewhere({ status, code, region }: Refusal): Meaning | undefined {
  const isElsewhere = status === 301 || status === 307 || code === "AuthorizationHeaderMalformed";
  if (!isElsewhere && !(status === 400 && region !== undefined)) return undefined;
  const where = region === undefined ? "elsewhere; check region and endpoint" : `in region ${region}; say so in region`;
  return { reason: "refused", advice: `the bucket is ${where}` };
}

function reasonOf(status: number): UnavailableReason {
  if (status === 401 || status === 403) return "denied";
  return status === 429 ? "rate-limited" : "failed";
}

/** A name that may be shown. */
function nameIn(text: string | undefined): string | undefined {
  return text !== undefined && /^[A-Za-z0-9.-]{1,64}$/.test(text) ? text : undefined;
}
