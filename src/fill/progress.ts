import type { CopyProgress } from "../copy/progress.ts";

/** Adds up how far a fill is: images, and the bytes of each target. */
export class FillProgress {
  readonly #images: number;
  readonly #targets = new Map<string, { doneBytes: number; totalBytes: number }>();
  #done = 0;
  #sentBytes = 0;

  constructor(images: number) {
    this.#images = images;
  }

  expect(target: string, sizeBytes: number): void {
    const known = this.#targets.get(target) ?? { doneBytes: 0, totalBytes: 0 };
    known.totalBytes += sizeBytes;
    this.#targets.set(target, known);
  }

  sent(target: string, sizeBytes: number): void {
    this.#sentBytes += sizeBytes;
    this.spared(target, sizeBytes);
  }

  /** Bytes that need not be sent, or cannot be. */
  spared(target: string, sizeBytes: number): void {
    const known = this.#targets.get(target);
    if (known !== undefined) known.doneBytes += sizeBytes;
  }

  imageDone(): void {
    this.#done++;
  }

  now(): CopyProgress {
    const targets = [...this.#targets].map(([name, { doneBytes, totalBytes }]) => ({ name, doneBytes, totalBytes }));
    return {
      images: { done: this.#done, total: this.#images },
      doneBytes: targets.reduce((sum, { doneBytes }) => sum + doneBytes, 0),
      totalBytes: targets.reduce((sum, { totalBytes }) => sum + totalBytes, 0),
      sentBytes: this.#sentBytes,
      active: targets,
    };
  }
}
