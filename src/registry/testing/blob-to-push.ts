import type { Answer, BlobStream } from "../remote.ts";
import type { BlobToPush } from "../writable.ts";
import { digestOf } from "./content.ts";

/** A blob to push, and what became of it. */
export interface TestSource {
  readonly blob: BlobToPush;
  /** Where it was opened. */
  readonly opens: readonly number[];
  /** What `onSent` was told, in all. */
  readonly told: () => number;
}

/** What a test's source is different in; `nth` answers in place of its bytes, asked with the byte and the count from 1. */
export interface TestSourceOptions extends Partial<BlobToPush> {
  readonly nth?: (startByte: number, nth: number) => Answer<BlobStream> | undefined;
}

const pieceBytes = 64 * 1024;

/** Bytes of which no two pieces are alike. */
export function bytesOf(sizeBytes: number): Buffer {
  return Buffer.from(new Uint32Array(Math.ceil(sizeBytes / 4)).map((_, i) => i * 7919).buffer).subarray(0, sizeBytes);
}

/** The bytes from one on as a source sends them: in pieces, nothing read ahead. */
export function streamOf(bytes: Uint8Array, startByte: number, sizeBytes: number | undefined): Answer<BlobStream> {
  let at = startByte;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      pull(controller) {
        if (at >= bytes.length) return controller.close();
        controller.enqueue(new Uint8Array(bytes.subarray(at, at + pieceBytes)));
        at += pieceBytes;
      },
    },
    { highWaterMark: 0 },
  );
  return { kind: "found", body, startByte, sizeBytes };
}

/** A source of these bytes. */
export function sourceOf(bytes: Uint8Array, { nth, ...changes }: TestSourceOptions = {}): TestSource {
  const opens: number[] = [];
  let told = 0;
  const blob: BlobToPush = {
    digest: digestOf(bytes),
    sizeBytes: bytes.length,
    mountFrom: [],
    open: (startByte) => {
      opens.push(startByte);
      return Promise.resolve(nth?.(startByte, opens.length) ?? streamOf(bytes, startByte, bytes.length));
    },
    onSent: (sizeBytes) => {
      told += sizeBytes;
    },
    ...changes,
  };
  return { blob, opens, told: () => told };
}
