import type { Draft } from "./draft.ts";
import { isDiskFull } from "./files.ts";

/** Bytes with the offset of the first of them. */
export interface Chunk {
  readonly startByte: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Chunks are gathered up to this size: each write has a cost of its own. */
const gatherBytes = 512 * 1024;
/** A write that takes longer than this has met a busy disk. */
const slowMs = 5;
/** What goes by the other thread after such a write, before the disk is tried again. */
const cautiousBytes = 64 * 1024 * 1024;

/**
 * Writes chunks to a draft, several together, in order. While the disk takes them as fast as memory does they are written at
 * once, which costs a third of a trip to another thread; after a write that took long they go by that thread for a while, so
 * that a busy disk holds nothing else up.
 */
export class DraftWriter {
  readonly #draft: Draft;
  readonly #makeRoom: () => Promise<boolean>;
  readonly #onProgress: () => void;
  #queue: Chunk[] = [];
  #queuedBytes = 0;
  #running: Promise<void> | undefined;
  #writtenBytes = 0;
  #cautiousUntilByte = 0;
  #error: unknown;

  constructor(draft: Draft, makeRoom: () => Promise<boolean>, onProgress: () => void, startByte = 0) {
    this.#draft = draft;
    this.#makeRoom = makeRoom;
    this.#onProgress = onProgress;
    this.#writtenBytes = startByte;
  }

  /** Bytes from the start that are in the file and may be read from it. */
  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  /** The error after which nothing more is written. */
  get error(): unknown {
    return this.#error;
  }

  push(chunk: Chunk): void {
    if (this.#error !== undefined) return;
    this.#queue.push(chunk);
    this.#queuedBytes += chunk.bytes.byteLength;
    if (this.#queuedBytes < gatherBytes || this.#running !== undefined || this.#wroteAtOnce()) return;
    this.#running = this.#drain();
  }

  /** Waits until everything that was pushed is written; false when writing has failed. */
  async settle(): Promise<boolean> {
    while (this.#queue.length > 0 || this.#running !== undefined) {
      this.#running ??= this.#drain();
      await this.#running;
    }
    return this.#error === undefined;
  }

  /** Writes what is queued now; false when that is to go by the other thread: the disk is busy, or full, or fails. */
  #wroteAtOnce(): boolean {
    if (this.#writtenBytes < this.#cautiousUntilByte) return false;
    const startedMs = performance.now();
    try {
      this.#draft.writeNow(
        this.#queue.map(({ bytes }) => bytes),
        this.#writtenBytes,
      );
    } catch {
      // What was written of it is written again, to the same place, and fails there as it must.
      return false;
    }
    this.#writtenBytes += this.#queuedBytes;
    this.#queue = [];
    this.#queuedBytes = 0;
    if (performance.now() - startedMs > slowMs) this.#cautiousUntilByte = this.#writtenBytes + cautiousBytes;
    return true;
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      const chunks = this.#queue;
      this.#queue = [];
      this.#queuedBytes = 0;
      try {
        await this.#write(chunks);
        for (const { bytes } of chunks) this.#writtenBytes += bytes.byteLength;
      } catch (error) {
        this.#error = error ?? new Error("write failed");
        this.#queue = [];
      }
      this.#onProgress();
    }
    this.#running = undefined;
  }

  async #write(chunks: readonly Chunk[]): Promise<void> {
    const pieces = chunks.map(({ bytes }) => bytes);
    try {
      await this.#draft.write(pieces, this.#writtenBytes);
    } catch (error) {
      if (!isDiskFull(error) || !(await this.#makeRoom())) throw error;
      await this.#draft.write(pieces, this.#writtenBytes);
    }
  }
}
