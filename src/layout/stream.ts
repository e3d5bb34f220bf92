import { asFailure, Failure } from "../errors/failure.ts";
import { algorithmOf, type Digest, digestFrom } from "../reference/digest.ts";
import type { ByteRange } from "../registry/remote.ts";
import type { ByteSource } from "./bytes.ts";

/** How bytes are streamed: until when, and what their digest must be, which is checked when they are read whole. */
export interface StreamOptions {
  readonly signal: AbortSignal;
  readonly digest: Digest | undefined;
}

const chunkBytes = 256 * 1024;

type Controller = ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;

/**
 * Bytes as a stream, a chunk for each read, nothing read ahead. A whole blob is hashed on its way and its last chunk held
 * back until the digest is right: DIGEST_INVALID else. The source is closed at the end, by an error, cancel or the signal.
 */
export function streamBytes(
  source: ByteSource,
  range: ByteRange,
  options: StreamOptions,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = new BytesReader(source, range, options);
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      start: (controller) => reader.start(controller),
      pull: (controller) => reader.pull(controller),
      cancel: () => reader.over(),
    },
    { highWaterMark: 0 },
  );
}

class BytesReader {
  readonly #source: ByteSource;
  readonly #signal: AbortSignal;
  readonly #check: ((bytes: Uint8Array) => void) | undefined;
  readonly #actual: () => Digest | undefined;
  readonly #digest: Digest | undefined;
  readonly #endByte: number;
  #offset: number;
  #isOver = false;
  #reading: Promise<unknown> = Promise.resolve();
  #onAbort = (): void => {};

  constructor(source: ByteSource, range: ByteRange, { signal, digest }: StreamOptions) {
    this.#source = source;
    this.#signal = signal;
    this.#offset = range.startByte;
    this.#endByte = Math.min(range.endByte ?? source.sizeBytes, source.sizeBytes);
    const isWhole = range.startByte === 0 && this.#endByte === source.sizeBytes;
    this.#digest = isWhole ? digest : undefined;
    const hash = this.#digest && hashFor(this.#digest);
    this.#check = hash?.update;
    this.#actual = () => hash?.digest();
  }

  start(controller: Controller): void {
    this.#onAbort = () => {
      const message = `reading ${this.#source.name} was no longer wanted`;
      this.#fail(new Failure({ code: "STORAGE_FAILED", message }), controller);
    };
    this.#signal.addEventListener("abort", this.#onAbort, { once: true });
    if (this.#signal.aborted) this.#onAbort();
  }

  async pull(controller: Controller): Promise<void> {
    try {
      const reading = this.#source.read(this.#offset, Math.min(chunkBytes, this.#endByte - this.#offset));
      this.#reading = reading.catch(() => {});
      const bytes = await reading;
      if (this.#isOver) return;
      this.#offset += bytes.byteLength;
      this.#check?.(bytes);
      const isLast = this.#offset >= this.#endByte;
      if (isLast) this.#verify();
      if (bytes.byteLength > 0) controller.enqueue(bytes);
      if (!isLast) return;
      controller.close();
      await this.over();
    } catch (error) {
      this.#fail(asFailure(error, "STORAGE_FAILED", `cannot read ${this.#source.name}`), controller);
    }
  }

  /** Closes the source once no read is under way: a file's number must not be another's while the kernel reads from it. */
  async over(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#signal.removeEventListener("abort", this.#onAbort);
    await this.#reading;
    await this.#source.close();
  }

  #fail(failure: Failure, controller: Controller): void {
    if (this.#isOver) return;
    controller.error(failure);
    this.over().catch(() => {});
  }

  #verify(): void {
    if (this.#digest === undefined) return;
    const actual = this.#actual();
    if (actual !== this.#digest) throw wrongBytes(this.#source.name, this.#digest);
  }
}

/** A running hash of a digest's algorithm. */
export interface Hash {
  readonly update: (bytes: Uint8Array) => void;
  readonly digest: () => Digest;
}

/** Begins a hash that can be compared with a digest. */
export function hashFor(digest: Digest): Hash {
  const algorithm = algorithmOf(digest);
  const hasher = new Bun.CryptoHasher(algorithm);
  return {
    update: (bytes) => void hasher.update(bytes),
    digest: () => digestFrom(algorithm, hasher.digest("hex")),
  };
}

/** Feeds bytes to a hash piece by piece. Throws the signal's reason when it ends the reading. */
export async function hashBytes(source: ByteSource, hash: Hash, signal: AbortSignal): Promise<void> {
  for (let offset = 0; offset < source.sizeBytes; offset += chunkBytes) {
    signal.throwIfAborted();
    hash.update(await source.read(offset, Math.min(chunkBytes, source.sizeBytes - offset)));
  }
}

/** What is thrown for content that is not what its digest says. */
export function wrongBytes(file: string, digest: Digest): Failure {
  const message = `${file}: what is there for ${digest} is not that content; remove it and copy it again`;
  return new Failure({ code: "DIGEST_INVALID", message });
}
