import type { Clock } from "../clock.ts";

/** A clock that stands still until a test moves it. */
export interface ManualClock extends Clock {
  /** Moves the time forward and runs what falls due, in order. */
  advance(byMs: number): void;
  /** How many actions are scheduled: what a test of clean-up looks at. */
  pending(): number;
  /** Waits until something is scheduled that falls due in exactly so long: where only this clock can move what is tested. */
  untilDueIn(delayMs: number): Promise<void>;
}

interface Timer {
  readonly dueMs: number;
  readonly action: () => void;
}

/** A clock at 1,000,000 ms of both its times. */
export function createManualClock(): ManualClock {
  let nowMs = 1_000_000;
  let timers: readonly Timer[] = [];
  return {
    nowMs: () => nowMs,
    epochMs: () => nowMs,
    schedule(delayMs, action) {
      const timer = { dueMs: nowMs + delayMs, action };
      timers = [...timers, timer];
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    advance(byMs) {
      const endMs = nowMs + byMs;
      for (;;) {
        const due = timers.filter((timer) => timer.dueMs <= endMs).sort((a, b) => a.dueMs - b.dueMs)[0];
        if (due === undefined) break;
        timers = timers.filter((timer) => timer !== due);
        nowMs = due.dueMs;
        due.action();
      }
      nowMs = endMs;
    },
    pending: () => timers.length,
    async untilDueIn(delayMs) {
      while (!timers.some(({ dueMs }) => dueMs === nowMs + delayMs))
        await new Promise((resolve) => setImmediate(resolve));
    },
  };
}
