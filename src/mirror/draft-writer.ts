import type { Draft } from "../store/draft.ts";
import type { Chunk } from "./recent-chunks.ts";

/** Chunks are gathered up to this size: a write costs a trip to another thread. */
const gatherBytes = 512 * 1024;

/** Writes chunks to a draft behind the network, several together, one write at a time, in order. */
export class DraftWriter {
  readonly #draft: Draft;
  readonly #makeRoom: () => Promise<boolean>;
  readonly #onProgress: () => void;
  #queue: Chunk[] = [];
  #queuedBytes = 0;
  #running: Promise<void> | undefined;
  #writtenBytes = 0;
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
    if (this.#queuedBytes >= gatherBytes) this.#running ??= this.#drain();
  }

  /** Waits until everything that was pushed is written; false when writing has failed. */
  async settle(): Promise<boolean> {
    while (this.#queue.length > 0 || this.#running !== undefined) {
      this.#running ??= this.#drain();
      await this.#running;
    }
    return this.#error === undefined;
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

function isDiskFull(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT");
}
