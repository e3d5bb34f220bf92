import { stat } from "node:fs/promises";
import type { Payload } from "./call.ts";

/** The bytes of a file that are sent. */
export interface FileRange {
  readonly startByte: number;
  readonly endByte: number;
}

/**
 * A part of a file as a body. Where `sendsFiles`, the kernel sends it; elsewhere it is streamed, for the runtime reads a file whole into
 * memory before it sends it over TLS.
 */
export function filePayload(path: string, { startByte, endByte }: FileRange, sendsFiles: boolean): Payload {
  const part = Bun.file(path).slice(startByte, endByte);
  const open = (): Blob | ReadableStream<Uint8Array<ArrayBuffer>> => (sendsFiles ? part : part.stream());
  return { sizeBytes: endByte - startByte, sha256: undefined, open };
}

/** The size of a file, or `undefined` when there is none. */
export async function fileSizeBytes(path: string): Promise<number | undefined> {
  return await stat(path).then(
    (found) => found.size,
    () => undefined,
  );
}
