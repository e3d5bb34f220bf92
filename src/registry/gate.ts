/** A place among those that may work at once. Given back once, further calls do nothing. */
export interface Place {
  release(): void;
}

/** Lets a number of holders in at once; the others wait in the order they came, each as long as its own signal allows. */
export class Gate {
  readonly #places: number;
  readonly #waiting = new Set<(place: Place) => void>();
  #taken = 0;

  constructor(places: number) {
    this.#places = places;
  }

  /** A place, or `undefined` when the signal ended the wait. */
  enter(signal: AbortSignal): Promise<Place | undefined> {
    if (signal.aborted) return Promise.resolve(undefined);
    if (this.#taken < this.#places) {
      this.#taken += 1;
      return Promise.resolve(this.#place());
    }
    return this.#wait(signal);
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
