import type { Keeping } from "./keeping.ts";

const tickMs = 500;

/** Says when progress is due, over any number of pieces of work, short or long. */
export class Ticker {
  readonly #clock: Pick<Keeping, "nowMs" | "pause">;
  readonly #signal: AbortSignal;
  #dueMs: number;

  constructor(clock: Pick<Keeping, "nowMs" | "pause">, signal: AbortSignal) {
    this.#clock = clock;
    this.#signal = signal;
    this.#dueMs = clock.nowMs() + tickMs;
  }

  /** Yields twice a second until the work is over or all is stopped. What fails in it is for who awaits it. */
  async *during(work: Promise<unknown>): AsyncGenerator<undefined, void, void> {
    const over = new AbortController();
    const end = (): void => over.abort();
    work.then(end, end);
    for (;;) {
      const leftMs = this.#dueMs - this.#clock.nowMs();
      if (leftMs > 0) await this.#clock.pause(leftMs, over.signal);
      if (over.signal.aborted || this.#signal.aborted) return;
      if (this.#clock.nowMs() < this.#dueMs) continue;
      this.#dueMs = this.#clock.nowMs() + tickMs;
      yield undefined;
    }
  }
}
