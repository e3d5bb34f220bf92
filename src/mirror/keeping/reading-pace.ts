import type { Keeping } from "./keeping.ts";

/** Keeps reading down to a number of bytes a second: who reads says what was read, and waits while that is too much. */
export class ReadingPace {
  readonly #bytesPerMs: number;
  readonly #clock: Pick<Keeping, "nowMs" | "pause">;
  readonly #signal: AbortSignal;
  readonly #startMs: number;
  #bytes = 0;

  constructor(bytesPerSecond: number, clock: Pick<Keeping, "nowMs" | "pause">, signal: AbortSignal) {
    this.#bytesPerMs = bytesPerSecond / 1000;
    this.#clock = clock;
    this.#signal = signal;
    this.#startMs = clock.nowMs();
  }

  async read(bytes: number): Promise<void> {
    this.#bytes += bytes;
    const dueMs = this.#startMs + this.#bytes / this.#bytesPerMs;
    const aheadMs = dueMs - this.#clock.nowMs();
    // Short waits are not worth a timer; they add up to one that is.
    if (aheadMs > 20) await this.#clock.pause(aheadMs, this.#signal);
  }
}
