/** How far one image is. */
interface ImageProgress {
  readonly name: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/** How far a run is. Totals grow while images are read. */
export interface CopyProgress {
  readonly images: { readonly done: number; readonly total: number };
  /** Bytes that are at their targets, sent or there before. */
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** Bytes that went over the line. */
  readonly sentBytes: number;
  readonly active: readonly ImageProgress[];
}

/** Counts one image's bytes for the run it is in. */
export interface ImageCounter {
  expect(sizeBytes: number): void;
  sent(sizeBytes: number): void;
  /** Bytes that need not be sent. */
  spared(sizeBytes: number): void;
  end(): void;
}

/** Adds up how far a run is. */
export class ProgressCount {
  readonly #total: number;
  readonly #active = new Set<{ name: string; doneBytes: number; totalBytes: number }>();
  #done = 0;
  #doneBytes = 0;
  #totalBytes = 0;
  #sentBytes = 0;

  constructor(images: number) {
    this.#total = images;
  }

  begin(name: string): ImageCounter {
    const image = { name, doneBytes: 0, totalBytes: 0 };
    this.#active.add(image);
    const add = (sizeBytes: number): void => {
      image.doneBytes += sizeBytes;
      this.#doneBytes += sizeBytes;
    };
    return {
      expect: (sizeBytes) => {
        image.totalBytes += sizeBytes;
        this.#totalBytes += sizeBytes;
      },
      sent: (sizeBytes) => {
        add(sizeBytes);
        this.#sentBytes += sizeBytes;
      },
      spared: add,
      end: () => {
        this.#active.delete(image);
        this.#done++;
      },
    };
  }

  /** Counts an image that there was nothing to do for. */
  skip(): void {
    this.#done++;
  }

  now(): CopyProgress {
    return {
      images: { done: this.#done, total: this.#total },
      doneBytes: this.#doneBytes,
      totalBytes: this.#totalBytes,
      sentBytes: this.#sentBytes,
      active: [...this.#active],
    };
  }
}
