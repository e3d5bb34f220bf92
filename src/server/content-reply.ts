import type { Digest } from "../reference/digest.ts";
import type { Absent, Unavailable } from "../registry/remote.ts";
import type { HeldContent, HeldObject } from "../store/content.ts";
import { parseRange, type RangeAnswer } from "./range.ts";
import { errorReply } from "./replies.ts";

/** What a client asked of a blob, as far as ranges go. */
export interface BlobAsked {
  readonly headers: Headers;
  readonly digest: Digest;
}

/** Objects up to this size are sent whole, with their length. */
const wholeMaxBytes = 256 * 1024;

/**
 * Held content: a file is sent by the kernel, all of it or the range that was asked for; an object is read from where it is, or its
 * client sent there. At once where nothing is waited for. An object that is not there, or cannot be read, is answered as that.
 */
export function contentReply(
  { content, sizeBytes }: { readonly content: HeldContent; readonly sizeBytes: number },
  asked: BlobAsked,
  origin: Readonly<Record<string, string>>,
): Response | Promise<Response | Absent | Unavailable> {
  const headers = blobHeaders(origin, asked.digest);
  const range = rangeOf(asked, sizeBytes);
  if (range.kind === "unsatisfiable") return unsatisfiable(sizeBytes);
  if (content.kind === "object") return objectReply(content, { range, sizeBytes, headers });
  const file = Bun.file(content.path);
  return range.kind === "whole"
    ? new Response(file, { headers })
    : partReply(file.slice(range.startByte, range.endByte), headers, contentRange(range, sizeBytes));
}

interface ObjectAsked {
  readonly range: Exclude<RangeAnswer, { readonly kind: "unsatisfiable" }>;
  readonly sizeBytes: number;
  readonly headers: Record<string, string>;
}

async function objectReply(
  object: HeldObject,
  { range, sizeBytes, headers }: ObjectAsked,
): Promise<Response | Absent | Unavailable> {
  const link = await object.link();
  if (link !== undefined) return new Response(null, { status: 307, headers: { ...headers, Location: link } });
  const span = range.kind === "whole" ? { startByte: 0, endByte: sizeBytes } : range;
  const opened = await object.open(span, new AbortController().signal);
  if (opened.kind !== "found") return opened;
  const isSmall = span.endByte - span.startByte <= wholeMaxBytes;
  const body = isSmall ? await new Response(opened.body).bytes() : opened.body;
  return range.kind === "whole"
    ? new Response(body, { headers })
    : partReply(body, headers, contentRange(range, sizeBytes));
}

function partReply(body: BodyInit, headers: Record<string, string>, range: string): Response {
  return new Response(body, { status: 206, headers: { ...headers, "Content-Range": range } });
}

/** The range that a client asks of a blob of a known size. A range of something else is no range. RFC 9110, 13.1.5. */
export function rangeOf({ headers, digest }: BlobAsked, sizeBytes: number): RangeAnswer {
  const ifRange = headers.get("if-range");
  const isCurrent = ifRange === null || ifRange === `"${digest}"`;
  return parseRange(isCurrent ? headers.get("range") : null, sizeBytes);
}

/** `Content-Range` of a part. */
export function contentRange(
  { startByte, endByte }: { readonly startByte: number; readonly endByte: number },
  sizeBytes: number,
): string {
  return `bytes ${startByte}-${endByte - 1}/${sizeBytes}`;
}

/** Headers of every answer with a blob's bytes or about them. */
export function blobHeaders(origin: Readonly<Record<string, string>>, digest: Digest): Record<string, string> {
  return {
    ...origin,
    "Content-Type": "application/octet-stream",
    "Docker-Content-Digest": digest,
    "Accept-Ranges": "bytes",
    ETag: `"${digest}"`,
  };
}

/** The range lies behind the end. */
export function unsatisfiable(sizeBytes: number): Response {
  return errorReply(416, "RANGE_INVALID", "the range begins past the end", { "Content-Range": `bytes */${sizeBytes}` });
}

/** There is no such blob. */
export function errorUnknownBlob(message: string, origin: Readonly<Record<string, string>>): Response {
  return errorReply(404, "BLOB_UNKNOWN", message, origin);
}
