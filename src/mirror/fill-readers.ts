/** A reader closer to the head than this has kept up. */
export const closeBytes: number = 512 * 1024;
/** A reader that is further behind than this is not waited for. */
const reachBytes = 8 * 1024 * 1024;
/** What one read gives at most: a share of what all have in memory at once. Small pieces cost time, which many slow readers have. */
const readMaxBytes = 256 * 1024;
const readMinBytes = 16 * 1024;
const readsBytes = 8 * 1024 * 1024;

/** Who reads a fill, and where each of them is. */
export class FillReaders {
  readonly #readers = new Map<object, number>();

  get size(): number {
    return this.#readers.size;
  }

  /** How much one read gives, so that many readers take turns. */
  get readBytes(): number {
    return Math.max(readMinBytes, Math.min(readMaxBytes, Math.floor(readsBytes / this.#readers.size)));
  }

  enter(key: object, offset: number): void {
    this.#readers.set(key, offset);
  }

  leave(key: object): void {
    this.#readers.delete(key);
  }

  moved(key: object, offset: number): void {
    if (this.#readers.has(key)) this.#readers.set(key, offset);
  }

  /** The offset of the reader that is furthest; -1 without any. */
  get fastest(): number {
    let fastest = -1;
    for (const offset of this.#readers.values()) fastest = Math.max(fastest, offset);
    return fastest;
  }

  /** True when nobody keeps up and somebody may: waiting a moment keeps them out of the file. */
  isLeaving(headBytes: number): boolean {
    const behindBytes = headBytes - this.fastest;
    return this.size > 0 && behindBytes >= closeBytes && behindBytes < reachBytes;
  }
}
