import { type Clock, pause } from "../registry/clock.ts";

/** 1 GiB/s: faster than blobs go, so that none comes later for its wait. */
const bytesPerMs = (1024 * 1024 * 1024) / 1000;
const headStartMaxMs = 25;
/** Timers are no finer. */
const waitMinMs = 1;

/**
 * Gives each transfer a head start before the next, by its size. Transfers that start together end together: the sender then waits
 * while the target puts the last bytes of all of them on its disk, and the target waited before that.
 */
export class Stagger {
  readonly #clock: Clock;
  #nextMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Waits for the start of a transfer of so many bytes; resolves early when the signal ends the wait. */
  async start(sizeBytes: number, signal: AbortSignal): Promise<void> {
    const nowMs = this.#clock.nowMs();
    const startMs = Math.max(nowMs, this.#nextMs);
    this.#nextMs = startMs + Math.min(headStartMaxMs, sizeBytes / bytesPerMs);
    if (startMs - nowMs >= waitMinMs) await pause(this.#clock, startMs - nowMs, signal);
  }
}
