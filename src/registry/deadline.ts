import { Failure } from "../errors/failure.ts";
import type { Clock } from "./clock.ts";
import type { CallLimits, Unavailable } from "./remote.ts";
import { unavailable } from "./unavailable.ts";

/** The end of one call: by its caller's signal, or when its time is over. It must be ended, however the call goes. */
export interface Deadline {
  readonly signal: AbortSignal;
  remainingMs(): number;
  /** Takes the time limit away; the caller's signal stays. */
  disarm(): void;
  /** Lets go of the timer and of the caller's signal. */
  end(): void;
}

const outOfTime = new Failure({ code: "UPSTREAM_TIMEOUT", message: "the time allowed was over" });

/** Starts the time of a call. */
export function startDeadline(clock: Clock, limits: CallLimits): Deadline {
  const controller = new AbortController();
  const endsAtMs = clock.nowMs() + limits.timeoutMs;
  const cancelTimer = clock.schedule(limits.timeoutMs, () => controller.abort(outOfTime));
  const follow = (): void => controller.abort(limits.signal.reason);
  if (limits.signal.aborted) follow();
  else limits.signal.addEventListener("abort", follow, { once: true });
  return {
    signal: controller.signal,
    remainingMs: () => Math.max(0, endsAtMs - clock.nowMs()),
    disarm: cancelTimer,
    end() {
      cancelTimer();
      limits.signal.removeEventListener("abort", follow);
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
