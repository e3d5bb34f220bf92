import type { Digest } from "../reference/digest.ts";
import type { BlobStream, Unavailable } from "../registry/remote.ts";
import type { BlobToPush, PushedBlob } from "../registry/writable.ts";
import { cancelled, unavailable } from "./answers.ts";
import { type Hash, hashFor } from "./stream.ts";

/** Takes the bytes of a blob in their order. Throws when they cannot be written. */
export type Accept = (bytes: Uint8Array<ArrayBuffer>) => Promise<void>;

/** How often a stream is opened again that broke without having brought anything. */
const fruitlessMax = 3;

/**
 * Reads a blob to its end and gives each piece to `accept` once, in order. A stream that breaks is opened again where it broke.
 * `pushed` says that size and digest are right; any other answer, that what was accepted is to be thrown away.
 */
export async function receive(blob: BlobToPush, accept: Accept, signal: AbortSignal): Promise<PushedBlob> {
  const transfer: Transfer = { blob, accept, signal, hash: hashFor(blob.digest), receivedBytes: 0 };
  for (let fruitless = 0; ; ) {
    if (signal.aborted) return cancelled(`the blob ${blob.digest}`);
    const before = transfer.receivedBytes;
    const opened = await blob.open(before);
    if (opened.kind !== "found") return opened;
    const broken = await drain(transfer, opened);
    if (broken === undefined) return verdict(transfer);
    if (broken.reason !== "failed") return broken;
    fruitless = transfer.receivedBytes > before ? 0 : fruitless + 1;
    if (fruitless === fruitlessMax) return broken;
  }
}

interface Transfer {
  readonly blob: BlobToPush;
  readonly accept: Accept;
  readonly signal: AbortSignal;
  readonly hash: Hash;
  receivedBytes: number;
}

/** Reads one stream. `undefined`: all bytes have come. */
async function drain(transfer: Transfer, stream: BlobStream): Promise<Unavailable | undefined> {
  const { blob, signal } = transfer;
  const reader = stream.body.getReader();
  const stop = (): void => void reader.cancel(signal.reason).catch(() => {});
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  let position = stream.startByte;
  try {
    if (position > transfer.receivedBytes) return brokenOff(blob.digest, "it begins later than was asked");
    for (;;) {
      const piece = await reader.read().catch((error: unknown) => brokenOff(blob.digest, messageOf(error)));
      if (signal.aborted) return cancelled(`the blob ${blob.digest}`);
      if ("kind" in piece) return piece;
      if (piece.done) {
        if (transfer.receivedBytes >= blob.sizeBytes) return undefined;
        return brokenOff(blob.digest, `it ends after ${transfer.receivedBytes} of ${blob.sizeBytes} bytes`);
      }
      const fresh = piece.value.subarray(Math.min(piece.value.byteLength, transfer.receivedBytes - position));
      position += piece.value.byteLength;
      if (transfer.receivedBytes + fresh.byteLength > blob.sizeBytes) return tooLong(blob);
      if (fresh.byteLength > 0) await take(transfer, fresh);
    }
  } finally {
    signal.removeEventListener("abort", stop);
    reader.cancel().catch(() => {});
  }
}

async function take(transfer: Transfer, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  transfer.hash.update(bytes);
  await transfer.accept(bytes);
  transfer.receivedBytes += bytes.byteLength;
  transfer.blob.onSent?.(bytes.byteLength);
}

function verdict({ blob, hash, receivedBytes }: Transfer): PushedBlob {
  const actual = hash.digest();
  if (actual === blob.digest) return { kind: "pushed", sentBytes: receivedBytes };
  return unavailable("wrong-bytes", `the blob ${blob.digest} came as ${actual}`);
}

function tooLong({ digest, sizeBytes }: BlobToPush): Unavailable {
  return unavailable("wrong-bytes", `the blob ${digest} is longer than its ${sizeBytes} bytes`);
}

function brokenOff(digest: Digest, reason: string): Unavailable {
  return unavailable("failed", `the blob ${digest} broke off: ${reason}`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
