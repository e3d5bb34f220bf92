import type { Digest } from "../reference/digest.ts";
import type { FillImage } from "./image.ts";

/** Which images wait for which blobs. */
export class Waiting {
  readonly #left = new Map<FillImage, number>();
  readonly #waiting = new Map<Digest, FillImage[]>();

  constructor(images: readonly FillImage[], isInWork: (digest: Digest) => boolean) {
    for (const image of images) {
      const blobs = image.blobs.filter(isInWork);
      this.#left.set(image, blobs.length);
      for (const digest of blobs) this.#waiting.set(digest, [...(this.#waiting.get(digest) ?? []), image]);
    }
  }

  /** The images that wait for nothing. */
  ready(): readonly FillImage[] {
    return [...this.#left].flatMap(([image, left]) => (left === 0 ? [image] : []));
  }

  /** Notes that a blob is done; the images that waited for nothing else. */
  done(digest: Digest): readonly FillImage[] {
    const images = this.#waiting.get(digest) ?? [];
    this.#waiting.delete(digest);
    return images.filter((image) => {
      const left = (this.#left.get(image) ?? 1) - 1;
      this.#left.set(image, left);
      return left === 0;
    });
  }
}
