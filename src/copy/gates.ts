import { type Entering, Gate } from "../registry/gate.ts";
import { registryOf, type Whom } from "./at-once.ts";

/** So many at once for each registry, so that one that is slow keeps none of the others waiting. */
export class RegistryGates {
  readonly #atOnce: number;
  readonly #gates = new Map<string, Gate>();

  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  /** A turn, at once where there is room; `undefined` when the signal ended the wait. */
  enter(whom: Whom, signal: AbortSignal): Entering {
    const key = registryOf(whom);
    let gate = this.#gates.get(key);
    if (gate === undefined) {
      gate = new Gate(this.#atOnce);
      this.#gates.set(key, gate);
    }
    return gate.enter(signal);
  }
}
