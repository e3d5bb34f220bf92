import type { Draft } from "../store/content.ts";
import type { Chunk } from "./recent-chunks.ts";

/** Writes chunks to a draft behind the network, one write at a time, in order. */
export class DraftWriter {
  readonly #draft: Draft;
  readonly #makeRoom: () => Promise<boolean>;
  readonly #onProgress: () => void;
  #queue: Chunk[] = [];
  #running: Promise<void> | undefined;
  #writtenBytes = 0;
  #error: unknown;

  constructor(draft: Draft, makeRoom: () => Promise<boolean>, onProgress: () => void) {
    this.#draft = draft;
    this.#makeRoom = makeRoom;
    this.#onProgress = onProgress;
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
    this.#running ??= this.#drain();
  }

  /** Waits until everything that was pushed is written; false when writing has failed. */
  async settle(): Promise<boolean> {
    while (this.#running !== undefined) await this.#running;
    return this.#error === undefined;
  }

  async #drain(): Promise<void> {
    for (let chunk = this.#queue.shift(); chunk !== undefined; chunk = this.#queue.shift()) {
      try {
        await this.#write(chunk);
        this.#writtenBytes = chunk.startByte + chunk.bytes.byteLength;
      } catch (error) {
        this.#error = error ?? new Error("write failed");
        this.#queue = [];
      }
      this.#onProgress();
    }
    this.#running = undefined;
  }

  async #write(chunk: Chunk): Promise<void> {
    try {
      await this.#draft.write(chunk.bytes, chunk.startByte);
    } catch (error) {
      if (!isDiskFull(error) || !(await this.#makeRoom())) throw error;
      await this.#draft.write(chunk.bytes, chunk.startByte);
    }
  }
}

function isDiskFull(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT");
}
