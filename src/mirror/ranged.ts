import type { Unavailable } from "../registry/remote.ts";
import type { Fill } from "./fill.ts";
import { fillStream, type Span } from "./fill-stream.ts";
import { refusedAnswer } from "./pull.ts";

/** A range that begins at most this far ahead of the write head waits for it; one further ahead is fetched on its own. */
const nearBytes = 4 * 1024 * 1024;
/** Blobs up to this size are waited for and sent whole, with their length. */
const wholeMaxBytes = 256 * 1024;

/**
 * Why a client's stream broke: for no reason. The fill has told it once for all, and the runtime prints a reason with stack and
 * source for each client.
 */
const told = (): undefined => undefined;

/** A body for a client of a running fill. A stream that breaks says no reason; the fill does. */
export type FillBody =
  | { readonly kind: "stream"; readonly stream: ReadableStream<Uint8Array<ArrayBuffer>> }
  | { readonly kind: "whole"; readonly bytes: Uint8Array<ArrayBuffer> }
  | Unavailable;

/** Opens a part of what is being filled, or all of it. Throws the fill's failure when it is small and fails. */
export async function openFill(fill: Fill, span: Span): Promise<FillBody> {
  const isWhole = span.startByte === 0 && span.endByte === undefined;
  if (isWhole && fill.sizeBytes !== undefined && fill.sizeBytes <= wholeMaxBytes) {
    return { kind: "whole", bytes: await new Response(fillStream(fill, span, (failure) => failure)).bytes() };
  }
  if (span.startByte <= fill.headBytes + nearBytes) return { kind: "stream", stream: fillStream(fill, span, told) };
  return fetchSpan(fill, span);
}

async function fetchSpan({ source }: Fill, span: Span): Promise<FillBody> {
  const { registry, place, digest, limits } = source;
  const { signal } = new AbortController();
  const answer = await registry.getBlob(place.repository, digest, span, {
    signal,
    timeoutMs: limits.headersMs,
  });
  if (answer.kind === "unavailable") return answer;
  if (answer.kind === "absent") return refusedAnswer(`${place.upstream} has ${digest} not any more`);
  return { kind: "stream", stream: cut(answer.body, span.startByte - answer.startByte, span) };
}

/** The bytes of the span from a body that begins `skipBytes` before it; breaks when the body ends early. */
function cut(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  skipBytes: number,
  { startByte, endByte }: Span,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = body.getReader();
  let skip = skipBytes;
  let left = (endByte ?? Number.POSITIVE_INFINITY) - startByte;
  const next = async (): Promise<Uint8Array<ArrayBuffer> | undefined> => {
    for (;;) {
      const { value } = await reader.read();
      if (value === undefined) return undefined;
      const wanted = value.subarray(Math.min(skip, value.byteLength)).subarray(0, left);
      skip = Math.max(0, skip - value.byteLength);
      left -= wanted.byteLength;
      if (wanted.byteLength > 0) return wanted;
    }
  };
  return new ReadableStream(
    {
      async pull(controller) {
        const bytes = await next().catch(told);
        if (bytes !== undefined) controller.enqueue(bytes);
        else if (left > 0) controller.error(told());
        if (left > 0) return;
        controller.close();
        await reader.cancel().catch(told);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}
