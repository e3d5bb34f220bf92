const CATCH_UP_MS = 20;

/** One link of so many bytes a second, shared in turn by all who send over it. Infinity is no limit. */
export class Pace {
  readonly #bytesPerMs: number;
  readonly #nowMs: () => number;
  #freeAtMs = Number.NEGATIVE_INFINITY;

  constructor(bytesPerSecond: number, nowMs: () => number) {
    this.#bytesPerMs = bytesPerSecond / 1000;
    this.#nowMs = nowMs;
  }

  get limited(): boolean {
    return Number.isFinite(this.#bytesPerMs);
  }

  /**
   * Books the link for `sizeBytes` behind all earlier bookings; how many milliseconds the sender has to wait. A sender
   * whose timer rang late may catch up on up to 20 ms, so that the link is neither faster nor slower than it says.
   */
  book(sizeBytes: number): number {
    const nowMs = this.#nowMs();
    const startMs = Math.max(this.#freeAtMs, nowMs - CATCH_UP_MS);
    this.#freeAtMs = startMs + sizeBytes / this.#bytesPerMs;
    return Math.max(0, startMs - nowMs);
  }
}
