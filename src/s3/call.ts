import { asFailure } from "../errors/failure.ts";
import type { S3Credential, S3CredentialSource } from "../config/s3-credential.ts";
import { discard, readWhole } from "../registry/body.ts";
import type { Load, UpstreamBudget } from "../registry/budget.ts";
import { type Clock, pause } from "../registry/clock.ts";
import { type Deadline, endedBy, startDeadline, within } from "../registry/deadline.ts";
import { rateAdvice } from "../registry/rate-headers.ts";
import type { CallLimits, Unavailable } from "../registry/remote.ts";
import type { Exchange } from "../registry/transport.ts";
import { askedFor, unavailable } from "../registry/unavailable.ts";
import type { BucketAddress } from "./address.ts";
import { explain, isPassing, type Refusal, refusalOf } from "./refusal.ts";
import { signedHeaders, unsignedPayload } from "./sign.ts";
import { parseXml, type XmlElement } from "./xml.ts";

/** The body of a request, opened anew for every attempt. */
export interface Payload {
  readonly sizeBytes: number;
  /** The hex of its hash, which the store then verifies, or `undefined` when that is not known. */
  readonly sha256: string | undefined;
  open(): Blob | ReadableStream<Uint8Array<ArrayBuffer>>;
}

/** One request to the bucket. */
export interface S3Request {
  /** What is asked, for messages: method, bucket and key. */
  readonly asked: string;
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  /** With the bucket's prefix; absent for the bucket itself. */
  readonly fullKey: string | undefined;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload?: Payload;
  /** What is done with the body of a success: handed on, dropped, or read as XML of at most so many bytes. */
  readonly answer: "stream" | "none" | { readonly xmlMaxBytes: number };
}

/** A success that holds its place among the bucket's requests until it is closed. */
export interface Reply {
  readonly kind: "reply";
  readonly host: string;
  readonly response: Response;
  /** What was read, when the request wanted XML. */
  readonly xml: XmlElement | undefined;
  /** Ends the reading of the body. */
  readonly signal: AbortSignal;
  /** From here on only the caller's signal ends it. */
  disarm(): void;
  /** Gives the place back. */
  close(): void;
}

/** What calls are made with. `reading` has a breaker before it, so that nobody waits for a store that is down; `writing` has none. */
export interface CallOptions {
  readonly address: BucketAddress;
  readonly region: string;
  readonly credentials: S3CredentialSource;
  readonly reading: Exchange;
  readonly writing: Exchange;
  readonly budget: UpstreamBudget;
  readonly clock: Clock;
  readonly random: () => number;
}

/** Asks once, within limits, and again where that may help. A refusal that passes comes back only when it does not pass. */
export type Call = (request: S3Request, limits: CallLimits) => Promise<Reply | Refusal | Unavailable>;

const retriesMax = 3;
const firstRetryMs = 200;
/** A store that wants to be left alone longer than this is not waited for. */
const longestPauseMs = 30_000;
/** What an attempt may take: this, and a second for each of these bytes. */
const attemptMs = 30_000;
const slowestBytesPerS = 256 * 1024;
const errorMaxBytes = 64 * 1024;
const emptySha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** Calls that are signed for each attempt, wait for their turn, and try again with pauses of random length (full jitter). */
export function createCall(options: CallOptions): Call {
  return async (request, limits) => {
    const deadline = startDeadline(options.clock, limits);
    const load: Load = request.answer === "stream" ? "stream" : "whole";
    const place = await options.budget.enter(load, deadline.signal);
    const close = (): void => {
      deadline.end();
      place?.release();
    };
    const answer = place === undefined ? endedBy(deadline.signal) : await attempts(options, request, deadline);
    if (answer.kind !== "reply") {
      close();
      return answer.kind === "unavailable" ? askedFor(request.asked, answer) : answer;
    }
    return {
      ...answer,
      disarm() {
        answer.disarm();
        deadline.disarm();
      },
      close() {
        answer.close();
        close();
      },
    };
  };
}

async function attempts(
  options: CallOptions,
  request: S3Request,
  deadline: Deadline,
): Promise<Reply | Refusal | Unavailable> {
  let last = await attempt(options, request, deadline);
  for (let retry = 0; retry < retriesMax && isWorthRetry(last); retry++) {
    const delayMs = Math.max(options.random() * firstRetryMs * 2 ** retry, askedPauseMs(last, options.clock));
    if (delayMs > longestPauseMs || delayMs >= deadline.remainingMs()) return last;
    await pause(options.clock, delayMs, deadline.signal);
    const next = await attempt(options, request, deadline);
    if (next.kind === "unavailable" && hidesCause(next, deadline)) return last;
    last = next;
  }
  return last;
}

/** One attempt: signed now, sent, and its error or its XML read. */
async function attempt(
  options: CallOptions,
  request: S3Request,
  whole: Deadline,
): Promise<Reply | Refusal | Unavailable> {
  const credential = await credentialOf(options.credentials, whole.signal);
  if (credential?.kind === "unavailable") return credential;
  const timeoutMs = attemptMs + ((request.payload?.sizeBytes ?? 0) / slowestBytesPerS) * 1000;
  const deadline = startDeadline(options.clock, { signal: whole.signal, timeoutMs });
  const exchange = request.method === "GET" || request.method === "HEAD" ? options.reading : options.writing;
  const answer = await exchange(outgoing(options, request, { credential: credential?.value, signal: deadline.signal }));
  const read = answer.kind === "unavailable" ? answer : await readAnswer(options, request, answer.response, deadline);
  if (read.kind !== "reply") deadline.end();
  return read;
}

function outgoing(
  { address, region, clock }: CallOptions,
  request: S3Request,
  { credential, signal }: { readonly credential: S3Credential | undefined; readonly signal: AbortSignal },
): Parameters<Exchange>[0] {
  const { method, payload } = request;
  const target = address.target(request.fullKey, request.query);
  const payloadSha256 = payload === undefined ? emptySha256 : (payload.sha256 ?? unsignedPayload);
  const signable = { method, url: target.url, headers: request.headers, payloadSha256 };
  const headers =
    credential === undefined
      ? request.headers
      : signedHeaders(signable, { credential, region, epochMs: clock.epochMs() });
  if (payload === undefined) return { method, target, headers, signal };
  const length = { "Content-Length": String(payload.sizeBytes) };
  return { method, target, headers: { ...headers, ...length }, body: () => payload.open(), signal };
}

async function readAnswer(
  options: CallOptions,
  request: S3Request,
  response: Response,
  deadline: Deadline,
): Promise<Reply | Refusal | Unavailable> {
  const { host } = options.address.target(undefined, {}).url;
  const { signal } = deadline;
  if (response.status < 200 || response.status > 299) {
    const error = await readXml(response, { host, maxBytes: errorMaxBytes, signal });
    return refusalOf(host, response, error.kind === "xml" ? error.root : undefined);
  }
  const reply: Reply = {
    kind: "reply",
    host,
    response,
    xml: undefined,
    signal,
    disarm: () => deadline.disarm(),
    close: () => deadline.end(),
  };
  if (request.answer === "stream") return reply;
  if (request.answer === "none") {
    await discard(response, signal);
    return reply;
  }
  const body = await readXml(response, { host, maxBytes: request.answer.xmlMaxBytes, signal });
  if (body.kind === "unavailable") return body;
  if (body.root === undefined) return unavailable("refused", `${host} answered with what is no XML of a store`);
  // A store that has begun its answer can say only in the body that something failed. S3 API reference, "CompleteMultipartUpload".
  return body.root.name === "Error" ? refusalOf(host, response, body.root) : { ...reply, xml: body.root };
}

type ReadXml = { readonly kind: "xml"; readonly root: XmlElement | undefined } | Unavailable;

async function readXml(response: Response, limits: Parameters<typeof readWhole>[1]): Promise<ReadXml> {
  const body = await readWhole(response, limits);
  if (body.kind === "unavailable") return body;
  return { kind: "xml", root: parseXml(new TextDecoder().decode(body.bytes)) };
}

/** A credential that cannot be read is an answer like any other: which file, and what to do, is in the message. */
async function credentialOf(
  credentials: S3CredentialSource,
  signal: AbortSignal,
): Promise<{ readonly kind: "credential"; readonly value: S3Credential } | Unavailable | undefined> {
  try {
    const found = await within(
      signal,
      credentials().then((value) => (value === undefined ? undefined : { kind: "credential" as const, value })),
    );
    return found;
  } catch (error) {
    return unavailable("denied", asFailure(error, "CONFIG_INVALID", "reading the credentials of the bucket").message);
  }
}

function isWorthRetry(answer: Reply | Refusal | Unavailable): boolean {
  if (answer.kind === "refusal") return isPassing(answer);
  return answer.kind === "unavailable" && (answer.reason === "unreachable" || answer.reason === "timeout");
}

function askedPauseMs(answer: Reply | Refusal | Unavailable, clock: Clock): number {
  return answer.kind === "refusal" ? rateAdvice(answer.status, answer.headers, clock.epochMs()).pauseMs : 0;
}

/** A retry that was not let out, or was out of time, says less than what was known before it. */
function hidesCause({ reason }: Unavailable, { signal }: Deadline): boolean {
  return reason === "breaker-open" || (signal.aborted && reason !== "cancelled");
}

/** A refusal as the answer to what was asked. */
export function refused(request: S3Request, refusal: Refusal, clock: Clock): Unavailable {
  return askedFor(request.asked, explain(refusal, clock));
}
