/** Lets one piece of work run after the other. */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  /** Runs the work when it is its turn. When the signal ends the wait it is not run, and `undefined` is the answer. */
  async take<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T | undefined> {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    if (!(await isReached(before, signal))) {
      void before.then(resolve);
      return undefined;
    }
    try {
      return await work();
    } finally {
      resolve();
    }
  }
}

async function isReached(before: Promise<void>, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return false;
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = (): void => resolve();
  signal.addEventListener("abort", stop, { once: true });
  await Promise.race([before, promise]);
  signal.removeEventListener("abort", stop);
  return !signal.aborted;
}
