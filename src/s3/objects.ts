import { digestFrom, type Digest } from "../reference/digest.ts";
import { cancel } from "../registry/body.ts";
import { streamBody } from "../registry/body-stream.ts";
import { contentLength, parseContentRange } from "../registry/content-range.ts";
import type { Answer, BlobStream, ByteRange, CallLimits } from "../registry/remote.ts";
import { explained, unavailable } from "../registry/unavailable.ts";
import type { ObjectHead, ObjectStream } from "./bucket.ts";
import { type Reply, refused, type S3Request } from "./call.ts";
import { keyIn, type Operations } from "./operations.ts";
import type { Refusal } from "./refusal.ts";

/** How long a transfer may stand still while somebody waits for its next bytes. */
const idleMs = 15_000;

/** HEAD of an object, with the checksum that the store keeps. */
export async function headObject(operations: Operations, key: string, limits: CallLimits): Promise<Answer<ObjectHead>> {
  const named = keyIn(operations, key);
  if (named.kind === "unavailable") return named;
  const request: S3Request = {
    asked: `HEAD of ${named.name}`,
    method: "HEAD",
    fullKey: named.fullKey,
    query: {},
    headers: { "x-amz-checksum-mode": "ENABLED" },
    answer: "none",
  };
  const reply = await operations.call(request, limits);
  if (reply.kind === "unavailable") return reply;
  if (reply.kind === "refusal") return missing(operations, request, reply);
  reply.close();
  const { headers } = reply.response;
  const sizeBytes = contentLength(headers);
  if (sizeBytes === undefined) return unavailable("refused", `${request.asked}: ${reply.host} answered without a size`);
  const mediaType = headers.get("content-type") ?? undefined;
  return { kind: "found", sizeBytes, digest: sha256In(headers), mediaType };
}

/** GET of an object, or of a range of it, as a stream that holds its place until it ends or is cancelled. */
export async function getObject(
  operations: Operations,
  key: string,
  range: ByteRange,
  limits: CallLimits,
): Promise<Answer<ObjectStream>> {
  const named = keyIn(operations, key);
  if (named.kind === "unavailable") return named;
  const request: S3Request = {
    asked: `GET of ${named.name}`,
    method: "GET",
    fullKey: named.fullKey,
    query: {},
    headers: rangeHeader(range),
    answer: "stream",
  };
  const reply = await operations.call(request, limits);
  if (reply.kind === "unavailable") return reply;
  if (reply.kind === "refusal") return missing(operations, request, reply);
  const extent = extentOf(reply, range);
  if (extent.kind === "found") return { ...extent, ...bodyOf(operations, reply) };
  await cancel(reply.response);
  reply.close();
  return explained(request.asked, extent);
}

/** Absent is only what the store says of the key; a bucket that is not there is no knowledge. */
function missing<T>(operations: Operations, request: S3Request, refusal: Refusal): Answer<T> {
  const isAbsent = refusal.status === 404 && (refusal.code === undefined || refusal.code === "NoSuchKey");
  return isAbsent ? { kind: "absent" } : refused(request, refusal, operations.clock);
}

/** The SHA-256 of the whole object, when that is what the store keeps: that of a multipart upload ends in `-PARTS`. */
function sha256In(headers: Headers): Digest | undefined {
  const text = headers.get("x-amz-checksum-sha256") ?? "";
  if (!/^[A-Za-z0-9+/]{43}=$/.test(text) || headers.get("x-amz-checksum-type") === "COMPOSITE") return undefined;
  return digestFrom("sha256", Buffer.from(text, "base64").toString("hex"));
}

function rangeHeader({ startByte, endByte }: ByteRange): Readonly<Record<string, string>> {
  if (startByte === 0 && endByte === undefined) return {};
  return { Range: `bytes=${startByte}-${endByte === undefined ? "" : endByte - 1}` };
}

/** Which part of the object an answer carries, checked against what was asked for. */
function extentOf({ host, response }: Reply, range: ByteRange): Answer<Omit<BlobStream, "body">> {
  const { status, headers } = response;
  if (headers.has("content-encoding")) return unavailable("refused", `${host} answered with an encoding`, { status });
  if (status === 200) return { kind: "found", startByte: 0, sizeBytes: contentLength(headers) };
  const said = parseContentRange(headers.get("content-range"));
  const isAsked = said?.startByte === range.startByte && said.endByte <= (range.endByte ?? Number.POSITIVE_INFINITY);
  if (status === 206 && said !== undefined && isAsked) {
    return { kind: "found", startByte: said.startByte, sizeBytes: said.sizeBytes };
  }
  return unavailable("refused", `${host} answered with another range than was asked for`, { status });
}

function bodyOf({ clock }: Operations, reply: Reply): Pick<ObjectStream, "body" | "ended"> {
  const { host, response, signal } = reply;
  reply.disarm();
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  const onEnd = (): void => {
    reply.close();
    resolve();
  };
  const body = streamBody(response.body ?? new Blob([]).stream(), { host, clock, signal, idleMs, onEnd });
  return { body, ended };
}
