import type { Clock } from "./clock.ts";

/** At most so many requests in any span of time; without a number, any many. */
export interface RateOptions {
  readonly clock: Clock;
  readonly requests: number | undefined;
  readonly perMs: number;
}

/** Counts requests against a rate, exactly: in no span of `perMs` are there more than `requests`. */
export class Rate {
  readonly #clock: Clock;
  readonly #requests: number;
  readonly #perMs: number;
  /** When the last requests were counted, as a ring; its next place holds the oldest. */
  readonly #sentAtMs: number[] = [];
  #next = 0;

  constructor({ clock, requests, perMs }: RateOptions) {
    this.#clock = clock;
    this.#requests = requests ?? Number.POSITIVE_INFINITY;
    this.#perMs = perMs;
  }

  /** Counts one request and answers 0, or says in how many milliseconds one more is allowed. */
  spend(): number {
    if (this.#requests === Number.POSITIVE_INFINITY) return 0;
    const nowMs = this.#clock.nowMs();
    const oldestMs = this.#sentAtMs[this.#next];
    const waitMs = oldestMs === undefined ? 0 : oldestMs + this.#perMs - nowMs;
    if (waitMs > 0) return waitMs;
    this.#sentAtMs[this.#next] = nowMs;
    this.#next = (this.#next + 1) % this.#requests;
    return 0;
  }
}
