import type { Budget } from "../config/settings.ts";
import type { Clock } from "./clock.ts";
import { type Entering, Gate, type Place } from "./gate.ts";
import { Rate } from "./rate.ts";
import { rateAdvice } from "./rate-headers.ts";
import type { Unavailable } from "./remote.ts";
import { unavailable } from "./unavailable.ts";

/** What a call holds: a stream for as long as bytes flow, anything else only for a moment. */
export type Load = "stream" | "whole";

/**
 * What one upstream may be asked. Streams take at most three quarters of the places, so that many slow blobs never keep a
 * manifest waiting.
 */
export class UpstreamBudget {
  readonly #clock: Clock;
  readonly #rate: Rate;
  readonly #all: Gate;
  readonly #streams: Gate;
  #pausedUntilMs: number = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, budget: Budget) {
    this.#clock = clock;
    this.#rate = new Rate({ clock, requests: budget.requests, perMs: budget.perMs });
    this.#all = new Gate(budget.concurrent);
    this.#streams = new Gate(Math.max(1, Math.floor(budget.concurrent * 0.75)));
  }

  /** A place to work in, waited for in turn where there is no room; `undefined` when the signal ended the wait. */
  enter(load: Load, signal: AbortSignal): Entering {
    return load === "whole" ? this.#all.enter(signal) : this.#enterStream(signal);
  }

  /** Counts one request that is about to be sent; or answers that none may be, now. */
  spend(): Unavailable | undefined {
    return this.paused() ?? limited("our own budget for it is spent", this.#rate.spend());
  }

  /** The answer while the upstream wants to be left alone; `undefined` when it does not. */
  paused(): Unavailable | undefined {
    return limited("it asked to be left alone", this.#pausedUntilMs - this.#clock.nowMs());
  }

  /** Takes note of what an answer says about being asked less. */
  heed(status: number, headers: Headers): void {
    const { pauseMs } = rateAdvice(status, headers, this.#clock.epochMs());
    if (pauseMs > 0) this.#pausedUntilMs = Math.max(this.#pausedUntilMs, this.#clock.nowMs() + pauseMs);
  }

  async #enterStream(signal: AbortSignal): Promise<Place | undefined> {
    const stream = await this.#streams.enter(signal);
    const place = await this.#all.enter(signal);
    if (stream === undefined || place === undefined) {
      stream?.release();
      place?.release();
      return undefined;
    }
    return {
      release() {
        stream.release();
        place.release();
      },
    };
  }
}

function limited(why: string, leftMs: number): Unavailable | undefined {
  if (leftMs <= 0) return undefined;
  return unavailable("rate-limited", `${why}, ${Math.ceil(leftMs / 1000)} s more`, { retryAfterMs: Math.ceil(leftMs) });
}
