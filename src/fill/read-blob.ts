import { algorithmOf, type Digest, hexOf } from "../reference/digest.ts";
import { within } from "../registry/deadline.ts";
import type { Absent, Answer, BlobStream, Unavailable } from "../registry/remote.ts";
import { unavailable } from "../registry/unavailable.ts";

/** Where a blob is read, and what it must be. */
export interface BlobReading {
  readonly digest: Digest;
  readonly sizeBytes: number;
  /** Opens its bytes from an offset on. */
  readonly open: (startByte: number) => Promise<Answer<BlobStream>>;
  /** Told of bytes as they are read. */
  readonly onRead?: (sizeBytes: number) => void;
  readonly signal: AbortSignal;
}

type Chunk = Uint8Array<ArrayBuffer>;

/** A source that ends early is opened again where it ended, so often without a byte of progress. */
const reopensMax = 3;

/**
 * Reads a blob to its end, hashed while it passes, and hands on what comes; `undefined` when it was all of it and right. Throws only
 * what `take` throws.
 */
export async function readBlob(
  reading: BlobReading,
  take: (bytes: Chunk) => Promise<void>,
): Promise<Absent | Unavailable | undefined> {
  const { digest, sizeBytes, open, signal } = reading;
  const pass = new Pass(reading, take);
  for (let opens = 0; opens <= reopensMax; opens++) {
    const before = pass.atByte;
    const answer = await within(signal, open(before));
    if (answer.kind !== "found") return answer;
    if (answer.startByte > before) return unavailable("refused", `${digest} began behind the byte that was asked for`);
    const fault = await pass.through(answer);
    if (fault !== undefined) return fault;
    if (pass.atByte === sizeBytes)
      return pass.isRight() ? undefined : wrong(`what came for ${digest} is something else`);
    if (pass.atByte > before) opens = -1;
  }
  return unavailable("failed", `${digest} ended at byte ${pass.atByte} of ${sizeBytes}, again and again`);
}

/** What has passed so far. */
class Pass {
  readonly #reading: BlobReading;
  readonly #take: (bytes: Chunk) => Promise<void>;
  readonly #hash: Bun.CryptoHasher;
  #atByte = 0;

  constructor(reading: BlobReading, take: (bytes: Chunk) => Promise<void>) {
    this.#reading = reading;
    this.#take = take;
    this.#hash = new Bun.CryptoHasher(algorithmOf(reading.digest));
  }

  get atByte(): number {
    return this.#atByte;
  }

  /** Once. */
  isRight(): boolean {
    return this.#hash.digest("hex") === hexOf(this.#reading.digest);
  }

  /** Takes all that a stream gives. That it was cut shows only in how far it went. */
  async through({ body, startByte }: BlobStream): Promise<Unavailable | undefined> {
    const { digest, sizeBytes, signal } = this.#reading;
    const reader = body.getReader();
    let skipBytes = this.#atByte - startByte;
    try {
      for (;;) {
        const chunk = await within(signal, chunkOf(reader));
        if (chunk === "end") return undefined;
        if (!(chunk instanceof Uint8Array)) return chunk;
        const skipped = Math.min(skipBytes, chunk.byteLength);
        skipBytes -= skipped;
        const bytes = chunk.subarray(skipped);
        if (this.#atByte + bytes.byteLength > sizeBytes) return wrong(`${digest} is longer than ${sizeBytes} bytes`);
        await this.#add(bytes);
      }
    } finally {
      await reader.cancel().catch(() => {});
    }
  }

  async #add(bytes: Chunk): Promise<void> {
    if (bytes.byteLength === 0) return;
    this.#hash.update(bytes);
    this.#atByte += bytes.byteLength;
    await this.#take(bytes);
    this.#reading.onRead?.(bytes.byteLength);
  }
}

async function chunkOf(reader: ReadableStreamDefaultReader<Chunk>): Promise<Chunk | "end"> {
  try {
    const { done, value } = await reader.read();
    return done ? "end" : value;
  } catch {
    return "end";
  }
}

function wrong(message: string): Unavailable {
  return unavailable("wrong-bytes", message);
}
