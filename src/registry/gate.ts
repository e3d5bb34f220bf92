/** A place among those that may work at once. Given back once, further calls do nothing. */
export interface Place {
  release(): void;
}

/** A place, or the wait for one. */
export type Entering = Place | undefined | Promise<Place | undefined>;

/** Lets a number of holders in at once; the others wait in the order they came, each as long as its own signal allows. */
export class Gate {
  readonly #places: number;
  readonly #waiting = new Set<(place: Place) => void>();
  #taken = 0;

  constructor(places: number) {
    this.#places = places;
  }

  /** A place, at once where there is room; `undefined` when the signal ended the wait. */
  enter(signal: AbortSignal): Entering {
    if (signal.aborted) return undefined;
    if (this.#taken >= this.#places) return this.#wait(signal);
    this.#taken += 1;
    return this.#place();
  }

  async #wait(signal: AbortSignal): Promise<Place | undefined> {
    const turn = Promise.withResolvers<Place | undefined>();
    const admit = (place: Place): void => turn.resolve(place);
    const leave = (): void => {
      if (this.#waiting.delete(admit)) turn.resolve(undefined);
    };
    this.#waiting.add(admit);
    signal.addEventListener("abort", leave, { once: true });
    try {
      return await turn.promise;
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }

  #place(): Place {
    let isHeld = true;
    return {
      release: () => {
        if (!isHeld) return;
        isHeld = false;
        this.#passOn();
      },
    };
  }

  #passOn(): void {
    for (const admit of this.#waiting) {
      this.#waiting.delete(admit);
      admit(this.#place());
      return;
    }
    this.#taken -= 1;
  }
}
