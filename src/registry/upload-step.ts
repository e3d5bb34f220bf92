import type { BlobSource } from "./blob-source.ts";
import { headBlob } from "./blobs.ts";
import type { Operations } from "./operations.ts";
import type { Unavailable } from "./remote.ts";
import type { Reply } from "./reply.ts";
import type { RegistryRequest } from "./request.ts";
import { refusalOf } from "./statuses.ts";
import { letGo, requestOf, sessionOf, type UploadQuestion, type UploadSession } from "./upload-session.ts";
import { askedFor, unavailable } from "./unavailable.ts";
import type { PushedBlob } from "./writable.ts";

/** A blob on its way to a registry. */
export interface Push {
  readonly operations: Operations;
  readonly question: UploadQuestion;
  readonly source: BlobSource;
  readonly sizeBytes: number;
}

/** An upload that the registry has begun, and how it is gone about. */
export interface Upload {
  readonly session: UploadSession;
  /** It is sent in parts of this size; in one request when the blob is no larger. */
  readonly partBytes: number;
  /** It goes on from where a connection was lost: what is refused then may be welcome in an upload of its own. */
  readonly isResumed: boolean;
}

/** Where an upload stands. */
export type State =
  /** The registry has all bytes before this one. */
  | { readonly kind: "at"; readonly upload: Upload; readonly offsetBytes: number }
  /** The registry has to be asked how much it has. */
  | { readonly kind: "lost"; readonly upload: Upload; readonly why: Unavailable }
  /** It cannot be gone on with; another one has to be begun. */
  | { readonly kind: "gone"; readonly upload: Upload; readonly why: Unavailable };

type At = Extract<State, { readonly kind: "at" }>;
type Lost = Extract<State, { readonly kind: "lost" }>;

/** Parts for registries, or proxies before them, that refuse a body for its size; smaller ones after each refusal. */
const partSizesBytes: readonly number[] = [64, 16, 4, 1].map((sizeMiB) => sizeMiB * 1024 * 1024);

/**
 * Sends what comes next: all of it by PUT where nothing is there yet, a part by PATCH, or the PUT that completes it. OCI distribution
 * spec v1.1, end-4b, end-5 and end-6.
 */
export async function send(push: Push, at: At): Promise<State | PushedBlob> {
  const { operations, question, source, sizeBytes } = push;
  const { offsetBytes, upload } = at;
  const isLast = offsetBytes === sizeBytes || (offsetBytes === 0 && upload.partBytes >= sizeBytes);
  const partBytes = Math.max(upload.partBytes, upload.session.partMinBytes);
  const endByte = isLast ? sizeBytes : Math.min(offsetBytes + partBytes, sizeBytes);
  const request = isLast ? completion(push, at) : part(push, at, endByte);
  const reply = await operations.call(request, question.limits);
  source.stop();
  if (source.end !== undefined) return await overBy(reply, source.end);
  if (reply.kind === "unavailable") return isFinal(reply) ? reply : { kind: "lost", upload, why: reply };
  const { status } = reply.answered.response;
  const next = [200, 201, 202, 204].includes(status)
    ? taken(push, at, { reply, endByte, isLast })
    : afterRefusal(push, at, askedFor(request.asked, await refusalOf(reply, operations.clock)));
  await letGo(reply);
  return next;
}

/** Asks the registry how much it has of an upload. OCI distribution spec v1.1, end-13. */
export async function locate(push: Push, lost: Lost): Promise<State | PushedBlob> {
  const { operations, question, sizeBytes } = push;
  const { upload } = lost;
  const request = requestOf(operations, question, upload.session, "GET");
  const reply = await operations.call(request, question.limits);
  if (reply.kind === "unavailable") return isFinal(reply) ? reply : { ...lost, why: causeOf(lost.why, reply) };
  const { status, headers } = reply.answered.response;
  if (status === 200 || status === 202 || status === 204) {
    await letGo(reply);
    const session = sessionOf(operations, reply, upload.session);
    const endByte = rangeEnd(headers);
    // "0-0" is one byte, or none where a registry has no other word for that.
    const isSure = endByte !== undefined && endByte > 1 && endByte <= sizeBytes;
    if (session.kind === "unavailable" || !isSure) return { ...lost, kind: "gone" };
    return { kind: "at", upload: { ...upload, session, isResumed: true }, offsetBytes: endByte };
  }
  const why = askedFor(request.asked, await refusalOf(reply, operations.clock));
  await letGo(reply);
  if (status === 404 || status === 410) return await completedOrGone(push, lost);
  return isFinal(why) ? why : { ...lost, kind: "gone" };
}

/** True of what asking once more does not change. */
export function isFinal({ reason }: Unavailable): boolean {
  return reason === "cancelled" || reason === "denied" || reason === "rate-limited" || reason === "refused";
}

/** What is known of a failure after one more attempt: one that was not let out adds nothing. */
export function causeOf(before: Unavailable, after: Unavailable): Unavailable {
  return after.reason === "breaker-open" ? before : after;
}

/** An upload that is not there any more may be one whose last answer was lost. */
async function completedOrGone(push: Push, lost: Lost): Promise<State | PushedBlob> {
  const { operations, question, source, sizeBytes } = push;
  const head = await headBlob(operations, question);
  const isThere = head.kind === "found" && (head.sizeBytes ?? sizeBytes) === sizeBytes;
  if (isThere) return completed(source);
  return head.kind === "unavailable" && isFinal(head) ? head : { ...lost, kind: "gone" };
}

function completion({ operations, question, source, sizeBytes }: Push, { upload, offsetBytes }: At): RegistryRequest {
  const request = requestOf(operations, question, upload.session, "PUT");
  const url = new URL(upload.session.place.url);
  url.search = `${url.search === "" ? "?" : `${url.search}&`}digest=${encodeURIComponent(question.digest)}`;
  const to = { ...upload.session.place, url };
  const leftBytes = sizeBytes - offsetBytes;
  const headers = { "Content-Type": "application/octet-stream", "Content-Length": String(leftBytes) };
  if (leftBytes === 0) return { ...request, to, headers, body: new Uint8Array(0) };
  return { ...request, to, headers, body: source.body(offsetBytes, sizeBytes), load: "stream" };
}

function part({ operations, question, source }: Push, { upload, offsetBytes }: At, endByte: number): RegistryRequest {
  return {
    ...requestOf(operations, question, upload.session, "PATCH"),
    headers: {
      "Content-Type": "application/octet-stream",
      "Content-Length": String(endByte - offsetBytes),
      "Content-Range": `${offsetBytes}-${endByte - 1}`,
    },
    body: source.body(offsetBytes, endByte),
    load: "stream",
  };
}

interface Taken {
  readonly reply: Reply;
  readonly endByte: number;
  readonly isLast: boolean;
}

function taken(
  { operations, question, source }: Push,
  { upload }: At,
  { reply, endByte, isLast }: Taken,
): State | PushedBlob {
  const { response, target } = reply.answered;
  if (isLast && source.isNative) return takenNative(question, source, { upload, reply });
  if (isLast && response.status !== 202) return completed(source);
  const session = sessionOf(operations, reply, upload.session);
  if (session.kind === "unavailable") return session;
  const next = { ...upload, session };
  const saidEndByte = rangeEnd(response.headers) ?? endByte;
  if (!isLast && saidEndByte === endByte) return { kind: "at", upload: next, offsetBytes: endByte };
  const why = unavailable("failed", `${target.url.host} took ${saidEndByte} bytes where ${endByte} were sent`);
  return { kind: "lost", upload: next, why };
}

/** Of bytes that were not read here only the registry can say what they are. OCI distribution spec v1.1, end-6. */
function takenNative(
  { digest }: UploadQuestion,
  source: BlobSource,
  { upload, reply }: { readonly upload: Upload; readonly reply: Reply },
): State | PushedBlob {
  const { response, target } = reply.answered;
  const said = response.headers.get("docker-content-digest")?.trim() ?? digest;
  if (response.status === 201 && said === digest) return completed(source);
  const { status } = response;
  return {
    kind: "gone",
    upload,
    why: unavailable("failed", `${target.url.host} took it for something else`, { status }),
  };
}

function completed(source: BlobSource): PushedBlob {
  source.completed();
  return { kind: "pushed", sentBytes: source.sentBytes };
}

function afterRefusal({ sizeBytes, source }: Push, at: At, why: Unavailable): State | Unavailable {
  const { upload } = at;
  switch (why.status) {
    case 404:
    case 410:
      return { kind: "gone", upload, why };
    case 408:
    case 416:
    case 429:
      return { kind: "lost", upload, why };
    case 413: {
      const partBytes = smallerPart(upload, sizeBytes);
      return partBytes === undefined ? why : { ...at, upload: { ...upload, partBytes } };
    }
    default:
      return (upload.isResumed || source.isNative) && why.reason !== "denied" ? { kind: "gone", upload, why } : why;
  }
}

function smallerPart({ partBytes, session }: Upload, sizeBytes: number): number | undefined {
  const refusedBytes = Math.max(Math.min(partBytes, sizeBytes), session.partMinBytes);
  return partSizesBytes.find((size) => size < refusedBytes && size >= session.partMinBytes);
}

/** What the source's end makes of an answer: nothing. */
async function overBy(reply: Reply | Unavailable, end: NonNullable<BlobSource["end"]>): Promise<PushedBlob> {
  if (reply.kind === "reply") await letGo(reply);
  return end;
}

/** How many bytes `Range: 0-LAST` says are there. */
function rangeEnd(headers: Headers): number | undefined {
  const last = /^(?:bytes=)?0-([0-9]{1,15})$/.exec(headers.get("range")?.trim() ?? "")?.[1];
  return last === undefined ? undefined : Number(last) + 1;
}
