/** A reader closer to the head than this has kept up. */
const closeBytes = 512 * 1024;
/** What one read gives at most: less when many readers take turns. */
const readMaxBytes = 256 * 1024;
const readMinBytes = 64 * 1024;

interface Reader {
  offset: number;
  /** It did not come close in time: the download does not wait for it until it has. */
  isSlow: boolean;
}

/** Who reads a fill, and where each of them is. */
export class FillReaders {
  readonly #readers = new Map<object, Reader>();

  get size(): number {
    return this.#readers.size;
  }

  /** How much one read gives, so that many readers take turns. */
  get readBytes(): number {
    return Math.max(readMinBytes, Math.min(readMaxBytes, Math.floor((4 * readMaxBytes) / this.#readers.size)));
  }

  enter(key: object, offset: number): void {
    this.#readers.set(key, { offset, isSlow: false });
  }

  leave(key: object): void {
    this.#readers.delete(key);
  }

  moved(key: object, offset: number, headBytes: number): void {
    const reader = this.#readers.get(key);
    if (reader === undefined) return;
    reader.offset = offset;
    if (headBytes - offset < closeBytes) reader.isSlow = false;
  }

  /** The offset of the reader that is furthest; -1 without any. */
  get fastest(): number {
    let fastest = -1;
    for (const { offset } of this.#readers.values()) fastest = Math.max(fastest, offset);
    return fastest;
  }

  /** True when somebody nearly keeps up and nobody does: waiting a moment keeps them out of the file. */
  isLeaving(headBytes: number): boolean {
    let isLeaving = false;
    for (const { offset, isSlow } of this.#readers.values()) {
      if (isSlow) continue;
      if (headBytes - offset < closeBytes) return false;
      isLeaving = true;
    }
    return isLeaving;
  }

  /** Gives up waiting for those that are here. */
  giveUp(): void {
    for (const reader of this.#readers.values()) reader.isSlow = true;
  }
}
