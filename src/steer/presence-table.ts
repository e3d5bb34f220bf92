import type { Presence } from "./events.ts";

/** Slots that one URL may be in. */
const ways = 8;
const codes: Readonly<Record<Presence, number>> = { held: 1, absent: 2, unknown: 3 };
const presences: readonly (Presence | undefined)[] = [undefined, "held", "absent", "unknown"];

/** URLs asked for lately, so that what many clients want is not hashed anew each time. */
const recentMax = 4096;

/** A fingerprint is the first 128 bits of a SHA-256, so that nobody can make two URLs that are taken for one. */
const fingerprintWords = 4;

interface Known {
  readonly presence: Presence | undefined;
  readonly untilMs: number;
}

/**
 * What is known of URLs, each until a time, in a fixed amount of memory: 25 bytes an entry, beside the few asked for lately. A URL has
 * eight slots; when all are taken, what has expired goes, then the oldest that is not held, then the oldest. So URLs that are
 * nowhere, however many, do not push out what is held somewhere.
 */
export class PresenceTable {
  readonly #sets: number;
  readonly #fingerprints: Uint32Array;
  readonly #untilMs: Float64Array;
  readonly #codes: Uint8Array;
  readonly #recent = new Map<string, Known>();
  readonly #hash = new Uint32Array(8);
  readonly #hashBytes = new Uint8Array(this.#hash.buffer);

  constructor(maxEntries: number) {
    this.#sets = Math.max(1, Math.floor(maxEntries / ways));
    const slots = this.#sets * ways;
    this.#fingerprints = new Uint32Array(slots * fingerprintWords);
    this.#untilMs = new Float64Array(slots);
    this.#codes = new Uint8Array(slots);
  }

  get(url: string, nowMs: number): Presence | undefined {
    const recent = this.#recent.get(url) ?? this.#find(url);
    return recent !== undefined && recent.untilMs > nowMs ? recent.presence : undefined;
  }

  #find(url: string): Known | undefined {
    const first = this.#firstSlot(url);
    for (let slot = first; slot < first + ways; slot++) {
      if (!this.#isOf(slot)) continue;
      const known = { presence: presences[this.#codes[slot] ?? 0], untilMs: this.#timeOf(slot) };
      if (this.#recent.size >= recentMax) this.#recent.clear();
      this.#recent.set(url, known);
      return known;
    }
    return undefined;
  }

  set(url: string, presence: Presence, until: { readonly nowMs: number; readonly untilMs: number }): void {
    // A slot may be written over whose URL nobody knows any more.
    this.#recent.clear();
    const slot = this.#slotFor(this.#firstSlot(url), until.nowMs);
    this.#fingerprints.set(this.#hash.subarray(0, fingerprintWords), slot * fingerprintWords);
    this.#untilMs[slot] = until.untilMs;
    this.#codes[slot] = codes[presence];
  }

  /** Leaves the fingerprint of the URL in `#hash`. */
  #firstSlot(url: string): number {
    Bun.SHA256.hash(url, this.#hashBytes);
    return ((this.#hash[fingerprintWords] ?? 0) % this.#sets) * ways;
  }

  /** True when the slot is of the URL that was hashed last. An empty slot is of none: no hash is all zeros. */
  #isOf(slot: number): boolean {
    const at = slot * fingerprintWords;
    for (let word = 0; word < fingerprintWords; word++) {
      if (this.#fingerprints[at + word] !== this.#hash[word]) return false;
    }
    return true;
  }

  #slotFor(first: number, nowMs: number): number {
    let chosen = first;
    let least = Number.POSITIVE_INFINITY;
    for (let slot = first; slot < first + ways; slot++) {
      if (this.#isOf(slot)) return slot;
      const worth = this.#worth(slot, nowMs);
      if (worth < least) {
        least = worth;
        chosen = slot;
      }
    }
    return chosen;
  }

  /** How little is lost when a slot is written over: nothing, then what is known for the shortest time, what is held last. */
  #worth(slot: number, nowMs: number): number {
    const untilMs = this.#timeOf(slot);
    if (untilMs <= nowMs) return Number.NEGATIVE_INFINITY;
    return this.#codes[slot] === codes.held ? untilMs : untilMs - Number.MAX_SAFE_INTEGER;
  }

  #timeOf(slot: number): number {
    return this.#untilMs[slot] ?? 0;
  }
}
