import type { BlobMirror, BlobOutcome } from "../mirror/blobs.ts";
import type { Fill } from "../mirror/fill.ts";
import type { Span } from "../mirror/fill-stream.ts";
import type { Pull } from "../mirror/pull.ts";
import { openFill } from "../mirror/ranged.ts";
import type { Digest } from "../reference/digest.ts";
import { contentReply, blobHeaders, contentRange, errorUnknownBlob, rangeOf, unsatisfiable } from "./content-reply.ts";
import type { RangeAnswer } from "./range.ts";
import type { Notes } from "./record.ts";
import { originHeaders, unavailableReply } from "./replies.ts";

/** What a blob's answer depends on. */
export interface BlobRequest {
  readonly pull: Pull;
  readonly digest: Digest;
  readonly headers: Headers;
}

/** HEAD of a blob. OCI distribution spec v1.1, "Checking if content exists in the registry". */
export async function blobHeadReply(blobs: BlobMirror, { pull, digest }: BlobRequest, notes: Notes): Promise<Response> {
  const answer = await blobs.head(pull, digest);
  const { upstream } = pull.place;
  if (answer.kind === "absent") return blobUnknown(upstream);
  if (answer.kind === "unavailable") {
    notes.error = answer.message;
    return unavailableReply(answer, upstream);
  }
  notes.origin = answer.origin;
  const length = answer.sizeBytes === undefined ? {} : { "Content-Length": String(answer.sizeBytes) };
  return new Response(null, { headers: { ...blobHeaders(originHeaders(upstream), digest), ...length } });
}

/** GET of a blob: a file goes out by the kernel, a running download is followed. OCI distribution spec v1.1, "Pulling blobs". */
export async function blobReply(blobs: BlobMirror, request: BlobRequest, notes: Notes): Promise<Response> {
  return openedReply(blobs, await blobs.open(request.pull, request.digest), request, notes);
}

async function openedReply(
  blobs: BlobMirror,
  opened: BlobOutcome,
  request: BlobRequest,
  notes: Notes,
): Promise<Response> {
  const { upstream } = request.pull.place;
  if (opened.kind === "absent") return blobUnknown(upstream);
  if (opened.kind === "unavailable") {
    notes.error = opened.message;
    return unavailableReply(opened, upstream);
  }
  notes.origin = opened.origin;
  if (opened.kind === "held") {
    const reply = await contentReply(opened, request, originHeaders(upstream));
    if (reply instanceof Response) return reply;
    return openedReply(blobs, await blobs.openElsewhere(request.pull, request.digest, reply), request, notes);
  }
  return fillReply(opened.fill, request, notes);
}

async function fillReply(fill: Fill, request: BlobRequest, notes: Notes): Promise<Response> {
  const { sizeBytes } = fill;
  // Without a size a range cannot be named in the answer, and the whole is a right answer to it.
  const range: RangeAnswer = sizeBytes === undefined ? { kind: "whole" } : rangeOf(request, sizeBytes);
  if (range.kind === "unsatisfiable") return unsatisfiable(sizeBytes ?? 0);
  const span: Span = range.kind === "whole" ? { startByte: 0, endByte: undefined } : range;
  const body = await openFill(fill, span);
  if (body.kind === "unavailable") {
    notes.error = body.message;
    return unavailableReply(body, request.pull.place.upstream);
  }
  const headers = blobHeaders(originHeaders(request.pull.place.upstream), request.digest);
  const content = body.kind === "whole" ? body.bytes : body.stream;
  if (range.kind === "whole") return new Response(content, { headers });
  return new Response(content, {
    status: 206,
    headers: { ...headers, "Content-Range": contentRange(range, sizeBytes ?? 0) },
  });
}

function blobUnknown(upstream: string): Response {
  return errorUnknownBlob(`${upstream} says that it has no such blob in this repository`, originHeaders(upstream));
}
