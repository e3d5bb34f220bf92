const TICK_MS = 5;

interface Waiting {
  readonly sizeBytes: number;
  readonly go: () => void;
}

/** One link of so many bytes a second, shared in turn by all who send over it. Infinity is no limit. */
export class Pace {
  readonly #bytesPerSecond: number;
  readonly #queue: Waiting[] = [];
  #allowanceBytes = 0;
  #lastMs = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(bytesPerSecond: number) {
    this.#bytesPerSecond = bytesPerSecond;
  }

  get limited(): boolean {
    return Number.isFinite(this.#bytesPerSecond);
  }

  /** Resolves when it is this sender's turn to put `sizeBytes` on the link. */
  take(sizeBytes: number): Promise<void> {
    if (!this.limited) return Promise.resolve();
    return new Promise((go) => {
      this.#queue.push({ sizeBytes, go });
      this.#timer ??= this.#startTimer();
    });
  }

  #startTimer(): ReturnType<typeof setInterval> {
    this.#lastMs = performance.now();
    this.#allowanceBytes = 0;
    return setInterval(() => this.#tick(), TICK_MS);
  }

  #tick(): void {
    const nowMs = performance.now();
    this.#allowanceBytes += (this.#bytesPerSecond * (nowMs - this.#lastMs)) / 1000;
    this.#lastMs = nowMs;
    for (
      let next = this.#queue[0];
      next !== undefined && next.sizeBytes <= this.#allowanceBytes;
      next = this.#queue[0]
    ) {
      this.#queue.shift();
      this.#allowanceBytes -= next.sizeBytes;
      next.go();
    }
    if (this.#queue.length > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
