import type { Digest } from "../reference/digest.ts";
import type { Repository } from "../reference/repository.ts";
import { cancel, discard } from "./body.ts";
import { streamBody, watchBody } from "./body-stream.ts";
import { contentLength, parseContentRange } from "./content-range.ts";
import type { Operations } from "./operations.ts";
import type { Answer, BlobHead, BlobStream, ByteRange, CallLimits, NativeBody, Unavailable } from "./remote.ts";
import { placeOf } from "./repository-path.ts";
import type { Reply } from "./reply.ts";
import type { RegistryRequest } from "./request.ts";
import { meaningOf, refusedEncoding } from "./statuses.ts";
import { explained, unavailable } from "./unavailable.ts";

/** Which blob, and within which limits. */
export interface BlobQuestion {
  readonly repository: Repository;
  readonly digest: Digest;
  readonly limits: CallLimits;
}

/** How long a transfer may stand still while somebody waits for its next bytes. */
const idleMs = 15_000;

/** HEAD of a blob. */
export async function headBlob(operations: Operations, question: BlobQuestion): Promise<Answer<BlobHead>> {
  const request: RegistryRequest = { ...requestFor(operations, question), method: "HEAD", load: "whole" };
  const reply = await operations.call(request, question.limits);
  if (reply.kind === "unavailable") return reply;
  // It has no body that would have to be read. RFC 9110, 9.3.2.
  reply.close();
  const { response } = reply.answered;
  if (response.status === 200) return { kind: "found", sizeBytes: contentLength(response.headers) };
  return explained(request.asked, meaningOf(reply.answered, operations.clock));
}

/**
 * GET of a blob, or of a range of it, as a stream that holds its place at the upstream until it ends or is cancelled. A registry
 * that ignores the range sends the whole: then `startByte` is 0.
 */
export async function getBlob(
  operations: Operations,
  question: BlobQuestion,
  range: ByteRange,
): Promise<Answer<BlobStream>> {
  const request = requestFor(operations, question, range);
  const reply = await operations.call(request, question.limits);
  if (reply.kind === "unavailable") return reply;
  const extent = extentOf(operations, reply, range);
  if (extent.kind === "found") return { ...extent, ...bodyOf(operations, reply) };
  await (extent.kind === "absent" ? discard(reply.answered.response, reply.signal) : cancel(reply.answered.response));
  reply.close();
  return explained(request.asked, extent);
}

function requestFor({ upstream }: Operations, question: BlobQuestion, range?: ByteRange): RegistryRequest {
  const { repository, digest } = question;
  const { path, scope } = placeOf(upstream, repository);
  return {
    asked: `${range === undefined ? "HEAD" : "GET"} of the blob ${upstream.host}/${repository}@${digest}`,
    method: "GET",
    path: `${path}/blobs/${digest}`,
    query: "",
    scope,
    headers: { Accept: "*/*", ...rangeHeader(range) },
    load: "stream",
  };
}

function rangeHeader(range: ByteRange | undefined): Readonly<Record<string, string>> {
  if (range === undefined || (range.startByte === 0 && range.endByte === undefined)) return {};
  return { Range: `bytes=${range.startByte}-${range.endByte === undefined ? "" : range.endByte - 1}` };
}

type Extent = Omit<BlobStream, "body" | "takeNative">;

/** Which part of the blob an answer carries, checked against what was asked for. */
function extentOf(operations: Operations, { answered }: Reply, range: ByteRange): Answer<Extent> {
  const { response, target } = answered;
  const { status, headers } = response;
  if (status !== 200 && status !== 206) {
    return status === 416 ? outOfRange(target.url.host, range) : meaningOf(answered, operations.clock);
  }
  const encoding = refusedEncoding(answered);
  if (encoding !== undefined) return encoding;
  if (status === 200) return { kind: "found", startByte: 0, sizeBytes: contentLength(headers) };
  const said = parseContentRange(headers.get("content-range"));
  const isAsked = said?.startByte === range.startByte && said.endByte <= (range.endByte ?? Number.POSITIVE_INFINITY);
  if (said === undefined || !isAsked) {
    return unavailable("refused", `${target.url.host} answered with another range than was asked for`, { status });
  }
  return { kind: "found", startByte: said.startByte, sizeBytes: said.sizeBytes };
}

function bodyOf({ clock, givesNative }: Operations, reply: Reply): Pick<BlobStream, "body" | "takeNative"> {
  const { response, target } = reply.answered;
  const { signal } = reply;
  reply.disarm();
  const body = response.body ?? emptyBody();
  const options = { host: target.url.host, clock, signal, idleMs, onEnd: () => reply.close() };
  if (!givesNative || !hasSureLength(response)) return { body: streamBody(body, options) };
  const watched = watchBody(body, options);
  return { body: watched.stream, takeNative: () => nativeBody(reply, watched.take()) };
}

function nativeBody(reply: Reply, stream: NativeBody["stream"] | undefined): NativeBody | undefined {
  return stream && { stream, end: () => reply.cut() };
}

/** Whether the runtime itself holds the body to a length. RFC 9112, 6.3. */
function hasSureLength({ headers, body }: Response): boolean {
  return body !== null && contentLength(headers) !== undefined && !headers.has("transfer-encoding");
}

function emptyBody(): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({ start: (controller) => controller.close() });
}

function outOfRange(host: string, range: ByteRange): Unavailable {
  return unavailable("refused", `${host} has no byte ${range.startByte} of it`, { status: 416 });
}
