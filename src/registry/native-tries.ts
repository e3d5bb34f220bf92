import type { Clock } from "./clock.ts";
import type { NativeBody } from "./remote.ts";

/** Nobody sees how such a transfer goes, so it has to be a short one. */
const blobMaxBytes = 64 * 1024 * 1024;
/** Shorter than what a body may stand still in other transfers: none may take longer, as none is known to move. */
const tryMs = 50_000;
/** From here on people want to see how it goes, and the time that a processor takes is no matter. */
const slowMs = 10_000;
const restMs = 10 * 60_000;

/** Whether blobs are sent to a registry by the runtime alone: short ones, and none for a while after one took long. */
export class NativeTries {
  readonly #clock: Clock;
  #restsUntilMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether a blob of that size is to be tried so. */
  isFor(sizeBytes: number): boolean {
    return sizeBytes > 0 && sizeBytes <= blobMaxBytes && this.#clock.nowMs() >= this.#restsUntilMs;
  }

  /** Watches over one; what is returned ends it, and is to be called however it goes. */
  begin(body: NativeBody): () => void {
    const startedMs = this.#clock.nowMs();
    const forget = this.#clock.schedule(tryMs, () => body.end());
    return () => {
      forget();
      body.end();
      const nowMs = this.#clock.nowMs();
      if (nowMs - startedMs >= slowMs) this.#restsUntilMs = nowMs + restMs;
    };
  }
}
