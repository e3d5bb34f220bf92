import { type Digest, hexOf } from "../reference/digest.ts";
import { within } from "../registry/deadline.ts";
import type { Absent, Unavailable } from "../registry/remote.ts";
import { unavailable } from "../registry/unavailable.ts";
import type { ObjectSource } from "./bucket.ts";
import type { Payload } from "./call.ts";
import { type Cut, PartHasher, type Parts } from "./parts.ts";

/** A stream's object up to here is put whole, from memory. */
export const wholeMaxBytes: number = 8 * 1024 * 1024;

type StreamSource = Extract<ObjectSource, { readonly kind: "stream" }>;
type Chunk = Uint8Array<ArrayBuffer>;

/** A source that ends early is opened again where it ended, so often without a byte of progress. */
const reopensMax = 3;
const sendBytes = 256 * 1024;

/** A stream to be sent; the signal ends the reading of it. */
export interface StreamToCut {
  readonly source: StreamSource;
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly signal: AbortSignal;
}

/** All of a small object in memory, its digest verified. */
export async function bufferedWhole(
  stream: StreamToCut,
): Promise<{ readonly kind: "payload"; readonly payload: Payload } | Absent | Unavailable> {
  const { digest, sizeBytes } = stream;
  const reader = new SourceReader(stream);
  const hasher = new PartHasher(digest);
  const memory = new Uint8Array(sizeBytes);
  const fault = (await reader.readInto(memory)) ?? (await reader.end());
  await reader.close();
  if (fault !== undefined) return fault;
  hasher.update(memory);
  if (hasher.digest() !== digest) return wrongBytes();
  return { kind: "payload", payload: { ...memoryPayload(memory), sha256: hexOf(digest) } };
}

/** The parts of a stream: each is read into memory and hashed, then sent from there. */
export function streamParts(stream: StreamToCut, cut: Cut): Parts {
  const { digest, sizeBytes } = stream;
  const reader = new SourceReader(stream);
  const hasher = new PartHasher(digest);
  return {
    memoryBytes: (partBytes) => Math.min(partBytes, sizeBytes),
    async next(memory) {
      const part = memory.subarray(0, Math.min(cut.partBytes, sizeBytes - reader.atByte));
      const fault = (await reader.readInto(part)) ?? (reader.atByte === sizeBytes ? await reader.end() : undefined);
      if (fault !== undefined) return fault;
      hasher.update(part);
      return { kind: "part", payload: memoryPayload(part), crc32: hasher.endPart() };
    },
    digest: () => hasher.digest(),
    close: () => reader.close(),
  };
}

/** The answer to bytes that are not those of the digest. */
export function wrongBytes(): Unavailable {
  return unavailable("wrong-bytes", "the bytes of its source are not what its digest says");
}

/** Memory as a body, without another copy of it. */
function memoryPayload(memory: Chunk): Payload {
  const open = (): ReadableStream<Chunk> => {
    let at = 0;
    return new ReadableStream<Chunk>(
      {
        pull(controller) {
          if (at >= memory.length) return controller.close();
          controller.enqueue(memory.subarray(at, at + sendBytes));
          at += sendBytes;
        },
      },
      { highWaterMark: 0 },
    );
  };
  return { sizeBytes: memory.length, sha256: undefined, open };
}

/** Reads a source from its start to its end, opened again where it was cut. */
class SourceReader {
  readonly #source: StreamSource;
  readonly #sizeBytes: number;
  readonly #signal: AbortSignal;
  #atByte = 0;
  #reader: ReadableStreamDefaultReader<Chunk> | undefined;
  /** What was read and fitted no more. */
  #rest: Chunk = new Uint8Array(0);
  #opensLeft = 1 + reopensMax;

  constructor({ source, sizeBytes, signal }: StreamToCut) {
    this.#source = source;
    this.#sizeBytes = sizeBytes;
    this.#signal = signal;
  }

  /** Where the next byte is from. */
  get atByte(): number {
    return this.#atByte;
  }

  /** Fills the memory to its end; an answer is why it could not. */
  async readInto(memory: Chunk): Promise<Absent | Unavailable | undefined> {
    for (let filled = 0; filled < memory.length; ) {
      const chunk = await within(this.#signal, this.#chunk());
      if (!(chunk instanceof Uint8Array)) return chunk;
      const taken = chunk.subarray(0, memory.length - filled);
      memory.set(taken, filled);
      filled += taken.length;
      this.#atByte += taken.length;
      this.#rest = chunk.subarray(taken.length);
    }
    return undefined;
  }

  /** An answer when the source has more than it should. */
  async end(): Promise<Unavailable | undefined> {
    const more = this.#rest.length > 0 || (this.#reader !== undefined && (await this.#read()) !== undefined);
    await this.close();
    return more ? unavailable("wrong-bytes", `its source has more than ${this.#sizeBytes} bytes`) : undefined;
  }

  async close(): Promise<void> {
    const reader = this.#reader;
    this.#reader = undefined;
    await reader?.cancel().catch(() => {});
  }

  async #chunk(): Promise<Chunk | Absent | Unavailable> {
    if (this.#rest.length > 0) return this.#rest;
    for (;;) {
      if (this.#reader === undefined) {
        const fault = await this.#open();
        if (fault !== undefined) return fault;
        if (this.#rest.length > 0) return this.#rest;
      }
      const chunk = await this.#read();
      if (chunk !== undefined && chunk.length > 0) {
        this.#opensLeft = 1 + reopensMax;
        return chunk;
      }
      if (chunk === undefined) await this.close();
    }
  }

  /** The next bytes; `undefined` at the end, be it early or by an error. */
  async #read(): Promise<Chunk | undefined> {
    try {
      return (await this.#reader?.read())?.value;
    } catch {
      return undefined;
    }
  }

  async #open(): Promise<Absent | Unavailable | undefined> {
    if (this.#opensLeft === 0) {
      return unavailable("failed", `its source ended at byte ${this.#atByte} of ${this.#sizeBytes}, again and again`);
    }
    this.#opensLeft -= 1;
    const answer = await this.#source.open(this.#atByte);
    if (answer.kind !== "found") return answer;
    this.#reader = answer.body.getReader();
    return await this.#skip(this.#atByte - answer.startByte);
  }

  /** A source that cannot begin where it was asked to begins before. */
  async #skip(bytes: number): Promise<Unavailable | undefined> {
    if (bytes < 0) return unavailable("refused", "its source began behind the byte that it was asked for");
    let left = bytes;
    while (left > 0) {
      const chunk = await this.#read();
      if (chunk === undefined) return unavailable("failed", "its source ended before the byte that it was asked for");
      this.#rest = chunk.subarray(Math.min(left, chunk.length));
      left -= chunk.length - this.#rest.length;
    }
    return undefined;
  }
}
