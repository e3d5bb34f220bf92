import { Failure } from "../errors/failure.ts";
import type { Clock } from "./clock.ts";
import type { CallLimits, Unavailable } from "./remote.ts";
import { unavailable } from "./unavailable.ts";

/** The end of one call: by its caller's signal, or when its time is over. It must be ended, however the call goes. */
export interface Deadline {
  readonly signal: AbortSignal;
  remainingMs(): number;
  /** From now on it has this much time, more or less than before; any amount where nothing is known of the end. */
  extend(timeoutMs: number): void;
  /** Takes the time limit away; the caller's signal stays. */
  disarm(): void;
  /** It is over now. */
  cut(): void;
  /** Lets go of the timer and of the caller's signal. */
  end(): void;
}

/** What ends a call whose body is wanted no more; no answer says it. */
const cutOff = new Failure({ code: "UPSTREAM_FAILED", message: "the transfer was given up" });
const outOfTime = new Failure({ code: "UPSTREAM_TIMEOUT", message: "the time allowed was over" });

/** The longest that a timer sleeps before it looks again; what is extended often is not scheduled anew each time. */
const longestSleepMs = 60_000;

/** Starts the time of a call. */
export function startDeadline(clock: Clock, limits: CallLimits): Deadline {
  return new CallDeadline(clock, limits);
}

class CallDeadline implements Deadline {
  readonly signal: AbortSignal;
  readonly #controller = new AbortController();
  readonly #clock: Clock;
  readonly #caller: AbortSignal;
  readonly #follow = (): void => this.#controller.abort(this.#caller.reason);
  readonly #look = (): void => {
    if (this.#endsAtMs > this.#clock.nowMs()) this.#sleep();
    else this.#controller.abort(outOfTime);
  };
  #endsAtMs: number;
  #looksAtMs = Number.POSITIVE_INFINITY;
  #cancelLook: (() => void) | undefined;
  #isStopped = false;

  constructor(clock: Clock, { signal, timeoutMs }: CallLimits) {
    this.signal = this.#controller.signal;
    this.#clock = clock;
    this.#caller = signal;
    this.#endsAtMs = clock.nowMs() + timeoutMs;
    this.#sleep();
    if (signal.aborted) this.#follow();
    else signal.addEventListener("abort", this.#follow, { once: true });
  }

  remainingMs(): number {
    return Math.max(0, this.#endsAtMs - this.#clock.nowMs());
  }

  extend(timeoutMs: number): void {
    this.#endsAtMs = this.#clock.nowMs() + timeoutMs;
    if (!this.#isStopped && this.#endsAtMs < this.#looksAtMs) this.#sleep();
  }

  disarm(): void {
    this.#isStopped = true;
    this.#cancelLook?.();
  }

  cut(): void {
    this.#controller.abort(cutOff);
  }

  end(): void {
    this.disarm();
    this.#caller.removeEventListener("abort", this.#follow);
  }

  #sleep(): void {
    const nowMs = this.#clock.nowMs();
    const sleepMs = Math.min(this.#endsAtMs - nowMs, longestSleepMs);
    this.#cancelLook?.();
    this.#looksAtMs = nowMs + sleepMs;
    this.#cancelLook = this.#clock.schedule(sleepMs, this.#look);
  }
}

/** What a call answers whose signal has ended it. */
export function endedBy(signal: AbortSignal): Unavailable {
  if (signal.reason === outOfTime) return unavailable("timeout", "no answer within the time allowed");
  return unavailable("cancelled", "it was no longer wanted");
}

/** Waits for a promise that belongs to others, no longer than the signal allows. */
export async function within<T>(signal: AbortSignal, work: Promise<T>): Promise<T | Unavailable> {
  if (signal.aborted) return endedBy(signal);
  const ended = Promise.withResolvers<Unavailable>();
  const stop = (): void => ended.resolve(endedBy(signal));
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([work, ended.promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
