/** Time as this program sees it; passed in, so that tests decide what time it is. */
export interface Clock {
  /** Milliseconds that only go forward, from no fixed start: for intervals. */
  nowMs(): number;
  /** Milliseconds since 1970 as the machine believes them: for dates that others wrote. */
  epochMs(): number;
  /** Runs the action once after the delay. What is returned takes it back. */
  schedule(delayMs: number, action: () => void): () => void;
}

/** The machine's clock. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  epochMs: () => Date.now(),
  schedule(delayMs, action) {
    const timer = setTimeout(action, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Waits; resolves early when the signal ends the wait, and at once when there is nothing to wait for. */
export function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted || delayMs <= 0) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const cancel = clock.schedule(delayMs, resolve);
  signal.addEventListener("abort", () => resolve(), { once: true });
  return promise.finally(cancel);
}
