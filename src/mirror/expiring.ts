/**
 * A bounded table whose entries expire. Past its bound the oldest entries go; `weigh` says what an entry counts, one
 * unless given. Times come from the clock given.
 */
export class ExpiringMap<V> {
  readonly #entries = new Map<string, { readonly value: V; readonly untilMs: number }>();
  readonly #maxWeight: number;
  readonly #nowMs: () => number;
  readonly #weigh: (value: V) => number;
  #weight = 0;

  constructor(maxWeight: number, nowMs: () => number, weigh: (value: V) => number = () => 1) {
    this.#maxWeight = maxWeight;
    this.#nowMs = nowMs;
    this.#weigh = weigh;
  }

  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.untilMs > this.#nowMs()) return entry.value;
    this.delete(key);
    return undefined;
  }

  set(key: string, value: V, forMs: number): void {
    this.delete(key);
    this.#entries.set(key, { value, untilMs: this.#nowMs() + forMs });
    this.#weight += this.#weigh(value);
    for (const oldest of this.#entries.keys()) {
      if (this.#weight <= this.#maxWeight) break;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#weight -= this.#weigh(entry.value);
    this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
    this.#weight = 0;
  }
}
