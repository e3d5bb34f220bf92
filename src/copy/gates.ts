import { Gate, type Place } from "../registry/gate.ts";
import type { ImageSource } from "./ends.ts";

/** What tells registries apart, and folders. */
type Whom = Pick<ImageSource, "name" | "place">;

/** So many at once for each registry, so that one that is slow keeps none of the others waiting. */
export class RegistryGates {
  readonly #atOnce: number;
  readonly #gates = new Map<string, Gate>();

  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  /** A turn, or `undefined` when the signal ended the wait. */
  async enter({ name, place }: Whom, signal: AbortSignal): Promise<Place | undefined> {
    const key = place?.registry ?? name;
    const gate = this.#gates.get(key) ?? new Gate(this.#atOnce);
    this.#gates.set(key, gate);
    return await gate.enter(signal);
  }
}
