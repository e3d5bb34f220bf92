import type { Digest } from "../reference/digest.ts";
import { parseRange, type RangeAnswer } from "./range.ts";
import { errorReply } from "./replies.ts";

/** What a client asked of a blob, as far as ranges go. */
export interface BlobAsked {
  readonly headers: Headers;
  readonly digest: Digest;
}

/** A file that is whole, sent by the kernel: all of it, or the range that was asked for. */
export function blobFileReply(
  { path, sizeBytes }: { readonly path: string; readonly sizeBytes: number },
  asked: BlobAsked,
  origin: Readonly<Record<string, string>>,
): Response {
  const headers = blobHeaders(origin, asked.digest);
  const range = rangeOf(asked, sizeBytes);
  const file = Bun.file(path);
  switch (range.kind) {
    case "whole":
      return new Response(file, { headers });
    case "part":
      return new Response(file.slice(range.startByte, range.endByte), {
        status: 206,
        headers: { ...headers, "Content-Range": contentRange(range, sizeBytes) },
      });
    case "unsatisfiable":
      return unsatisfiable(sizeBytes);
  }
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
