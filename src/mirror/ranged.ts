import type { Unavailable } from "../registry/remote.ts";
import type { Fill } from "./fill.ts";
import { fillStream, type Span } from "./fill-stream.ts";
import { refusedAnswer } from "./pull.ts";

/** A range that begins at most this far ahead of the write head waits for it; one further ahead is fetched on its own. */
const nearBytes = 4 * 1024 * 1024;
/** Blobs up to this size are waited for and sent whole, with their length. */
const wholeMaxBytes = 256 * 1024;

/** A body for a client of a running fill. */
export type FillBody =
  | { readonly kind: "stream"; readonly stream: ReadableStream<Uint8Array<ArrayBuffer>> }
  | { readonly kind: "whole"; readonly bytes: Uint8Array<ArrayBuffer> }
  | Unavailable;

/** Opens a part of what is being filled, or all of it. Throws the fill's failure when it is small and fails. */
export async function openFill(fill: Fill, span: Span): Promise<FillBody> {
  const isWhole = span.startByte === 0 && span.endByte === undefined;
  if (isWhole && fill.sizeBytes !== undefined && fill.sizeBytes <= wholeMaxBytes) {
    return { kind: "whole", bytes: await new Response(fillStream(fill, span)).bytes() };
  }
  if (span.startByte <= fill.headBytes + nearBytes) return { kind: "stream", stream: fillStream(fill, span) };
  return fetchSpan(fill, span);
}

async function fetchSpan({ source }: Fill, span: Span): Promise<FillBody> {
  const { registry, place, digest, limits } = source;
  const stop = new AbortController();
  const answer = await registry.getBlob(place.repository, digest, span, {
    signal: stop.signal,
    timeoutMs: limits.headersMs,
  });
  if (answer.kind === "unavailable") return answer;
  if (answer.kind === "absent") return refusedAnswer(`${place.upstream} has ${digest} not any more`);
  const stream = answer.body.pipeThrough(cut(span.startByte - answer.startByte, span));
  return { kind: "stream", stream };
}

/** Lets through the bytes of the span from a body that begins `skipBytes` before it; errors when the body ends early. */
function cut(
  skipBytes: number,
  { startByte, endByte }: Span,
): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
  let skip = skipBytes;
  let left = (endByte ?? Number.POSITIVE_INFINITY) - startByte;
  return new TransformStream({
    transform(bytes, controller) {
      const wanted = bytes.subarray(Math.min(skip, bytes.byteLength)).subarray(0, left);
      skip = Math.max(0, skip - bytes.byteLength);
      left -= wanted.byteLength;
      if (wanted.byteLength > 0) controller.enqueue(wanted);
      if (left === 0) controller.terminate();
    },
    flush(controller) {
      if (left > 0 && endByte !== undefined)
        controller.error(new Error(`the upstream's answer to a range ended ${left} bytes early`));
    },
  });
}
