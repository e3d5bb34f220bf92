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

/** Starts the time of a call. */
export function startDeadline(clock: Clock, limits: CallLimits): Deadline {
  const controller = new AbortController();
  const timer = startTimer(clock, limits.timeoutMs, () => controller.abort(outOfTime));
  const follow = (): void => controller.abort(limits.signal.reason);
  if (limits.signal.aborted) follow();
  else limits.signal.addEventListener("abort", follow, { once: true });
  return {
    signal: controller.signal,
    remainingMs: () => timer.remainingMs(),
    extend: (timeoutMs) => timer.extend(timeoutMs),
    disarm: () => timer.stop(),
    cut: () => controller.abort(cutOff),
    end() {
      timer.stop();
      limits.signal.removeEventListener("abort", follow);
    },
  };
}

interface Timer {
  remainingMs(): number;
  extend(timeoutMs: number): void;
  stop(): void;
}

/** The longest that a timer sleeps before it looks again; what is extended often is not scheduled anew each time. */
const longestSleepMs = 60_000;

function startTimer(clock: Clock, timeoutMs: number, onEnd: () => void): Timer {
  let endsAtMs = clock.nowMs() + timeoutMs;
  let looksAtMs = Number.POSITIVE_INFINITY;
  let cancelLook = (): void => {};
  let isStopped = false;
  function sleep(): void {
    const sleepMs = Math.min(endsAtMs - clock.nowMs(), longestSleepMs);
    cancelLook();
    looksAtMs = clock.nowMs() + sleepMs;
    cancelLook = clock.schedule(sleepMs, look);
  }
  function look(): void {
    if (endsAtMs > clock.nowMs()) sleep();
    else onEnd();
  }
  sleep();
  return {
    remainingMs: () => Math.max(0, endsAtMs - clock.nowMs()),
    extend(timeoutMs) {
      endsAtMs = clock.nowMs() + timeoutMs;
      if (!isStopped && endsAtMs < looksAtMs) sleep();
    },
    stop() {
      isStopped = true;
      cancelLook();
    },
  };
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
