import { contentLength } from "./content-range.ts";
import { endedBy } from "./deadline.ts";
import { networkFault } from "./network-error.ts";
import type { Unavailable } from "./remote.ts";
import { unavailable } from "./unavailable.ts";

/** The bytes of a whole body. */
export interface WholeBody {
  readonly kind: "bytes";
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What a body is read by: who sends it (for messages), how long it may be, and what ends the reading. */
export interface ReadLimits {
  readonly host: string;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/** Bodies that nobody wants are read up to here, so that their connection can be used again; longer ones are cut off. */
const discardMaxBytes = 64 * 1024;

/** Reads a body whole. One that is announced longer than allowed is not begun; one that turns out longer is cut off. */
export async function readWhole(response: Response, limits: ReadLimits): Promise<WholeBody | Unavailable> {
  const { host, maxBytes, signal } = limits;
  const announced = contentLength(response.headers);
  if (announced !== undefined && announced > maxBytes) {
    await cancel(response);
    return tooLong(host, maxBytes);
  }
  try {
    const isBounded = announced !== undefined && !response.headers.has("transfer-encoding");
    return isBounded ? { kind: "bytes", bytes: await response.bytes() } : await readChunks(response, limits);
  } catch (error) {
    return signal.aborted ? endedBy(signal) : networkFault(host, error);
  }
}

/** Reads a body that nobody said the length of, up to what is allowed. */
async function readChunks(response: Response, { host, maxBytes }: ReadLimits): Promise<WholeBody | Unavailable> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let sizeBytes = 0;
  for await (const chunk of response.body ?? []) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > maxBytes) return tooLong(host, maxBytes);
    chunks.push(chunk);
  }
  return { kind: "bytes", bytes: joined(chunks, sizeBytes) };
}

/** Gets rid of a body that nobody wants. Never fails; ends with the signal at the latest. */
export async function discard(response: Response, signal: AbortSignal): Promise<void> {
  await readWhole(response, { host: "", maxBytes: discardMaxBytes, signal });
}

/** Ends a body without reading it; its connection is closed. */
export async function cancel(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => {});
}

function joined(chunks: readonly Uint8Array<ArrayBuffer>[], sizeBytes: number): Uint8Array<ArrayBuffer> {
  const [first] = chunks;
  if (chunks.length === 1 && first !== undefined) return first;
  const whole = new Uint8Array(sizeBytes);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return whole;
}

function tooLong(host: string, maxBytes: number): Unavailable {
  return unavailable("refused", `${host} answered with more than the ${maxBytes} bytes that are allowed`);
}
