const REMEMBER_MS = 60_000;

/** Asks once for all that ask meanwhile, and keeps the answer for a minute; a failure is kept for nobody. */
export function remembered<T>(ask: () => Promise<T>, nowMs: () => number): () => Promise<T> {
  let held: { readonly answer: Promise<T>; untilMs: number } | undefined;
  return () => {
    if (held !== undefined && nowMs() < held.untilMs) return held.answer;
    const asked = { answer: ask(), untilMs: Number.POSITIVE_INFINITY };
    held = asked;
    asked.answer.then(
      () => (asked.untilMs = nowMs() + REMEMBER_MS),
      () => (asked.untilMs = 0),
    );
    return asked.answer;
  };
}
