import { type Admission, Breaker } from "../registry/breaker.ts";
import type { Clock } from "../registry/clock.ts";
import { ClientRate } from "./client-rate.ts";
import type { Presence, SkipReason, SteerEvents } from "./events.ts";
import type { Holder } from "./holder.ts";
import { PresenceTable } from "./presence-table.ts";
import { meaningOf, type Probe } from "./probe.ts";

/** One URL at one holder. */
export interface Subject {
  readonly location: string;
  readonly holder: Holder;
}

/** Who has which content, as far as is known. */
export interface Existence {
  /** What is known now, without asking; `undefined` when nothing is. */
  known(subject: Subject): Presence | undefined;
  /** What the holder answers; at once "unknown" where it must not be asked now. The promise never rejects. */
  ask(subject: Subject, client: string): Presence | Promise<Presence>;
}

/** How long answers are good, and how much may be asked. */
export interface ExistenceLimits {
  readonly keptMs: Readonly<Record<Presence, number>>;
  readonly maxEntries: number;
  /** A HEAD that has no answer by then has none. */
  readonly probeTimeoutMs: number;
  readonly maxProbes: number;
  readonly maxProbesPerHolder: number;
  readonly perClient: { readonly perSecond: number; readonly burst: number; readonly maxClients: number };
}

/** The limits of a server. */
export const existenceLimits: ExistenceLimits = {
  keptMs: { held: 3_600_000, absent: 60_000, unknown: 5000 },
  maxEntries: 200_000,
  probeTimeoutMs: 2000,
  maxProbes: 256,
  maxProbesPerHolder: 64,
  perClient: { perSecond: 20, burst: 100, maxClients: 20_000 },
};

/** What existence is found out with. */
export interface ExistenceParts {
  readonly probe: Probe;
  readonly clock: Clock;
  /** A number in [0, 1). */
  readonly random: () => number;
  readonly events: SteerEvents;
  readonly limits?: ExistenceLimits;
}

/** One holder's own limits. */
interface HolderState {
  readonly breaker: Breaker;
  probes: number;
  isOpen: boolean;
}

type Admitted = Extract<Admission, { readonly kind: "admitted" }>;

/** Existence by HEAD: one at a time for a URL, remembered for a while, and few enough that nobody can make them costly. */
export class ProbedExistence implements Existence {
  readonly #parts: ExistenceParts;
  readonly #limits: ExistenceLimits;
  readonly #table: PresenceTable;
  readonly #clients: ClientRate;
  readonly #holders = new Map<string, HolderState>();
  readonly #running = new Map<string, Promise<Presence>>();

  constructor(parts: ExistenceParts) {
    this.#parts = parts;
    this.#limits = parts.limits ?? existenceLimits;
    this.#table = new PresenceTable(this.#limits.maxEntries);
    this.#clients = new ClientRate(this.#limits.perClient);
  }

  /** HEADs under way. */
  get runningProbes(): number {
    return this.#running.size;
  }

  known({ location }: Subject): Presence | undefined {
    return this.#table.get(location, this.#parts.clock.nowMs());
  }

  ask(subject: Subject, client: string): Presence | Promise<Presence> {
    const known = this.known(subject) ?? this.#running.get(subject.location);
    if (known !== undefined) return known;
    const { holder, location } = subject;
    const state = this.#stateOf(holder);
    if (this.#running.size >= this.#limits.maxProbes || state.probes >= this.#limits.maxProbesPerHolder) {
      return this.#skip(holder, "busy");
    }
    if (!this.#clients.take(client, this.#parts.clock.nowMs())) return this.#skip(holder, "client");
    const admission = state.breaker.admit();
    if (admission.kind === "open") {
      this.#tellBreaker(holder, state, true);
      return this.#skip(holder, "breaker");
    }
    const running = this.#probe(subject, state, admission);
    this.#running.set(location, running);
    return running;
  }

  async #probe({ holder, location }: Subject, state: HolderState, admission: Admitted): Promise<Presence> {
    const { clock, events } = this.#parts;
    const startedMs = clock.nowMs();
    state.probes += 1;
    const { presence, isFault } = meaningOf(holder.kind, await this.#status(holder, location));
    state.probes -= 1;
    this.#running.delete(location);
    admission.settle(isFault ? "failure" : "success");
    if (!isFault) this.#tellBreaker(holder, state, false);
    const nowMs = clock.nowMs();
    this.#table.set(location, presence, { nowMs, untilMs: nowMs + this.#limits.keptMs[presence] });
    events.probed(holder.name, presence, nowMs - startedMs);
    return presence;
  }

  /** It ends by its own time, not by that of the client that began it, so that the next one knows. */
  async #status(holder: Holder, url: string): Promise<number | undefined> {
    const { probe, clock } = this.#parts;
    const ending = new AbortController();
    const cancel = clock.schedule(this.#limits.probeTimeoutMs, () => ending.abort());
    try {
      return await probe(holder, url, ending.signal);
    } catch {
      return undefined;
    } finally {
      cancel();
    }
  }

  #stateOf({ url }: Holder): HolderState {
    const known = this.#holders.get(url);
    if (known !== undefined) return known;
    const { clock, random } = this.#parts;
    const made = { breaker: new Breaker({ clock, random }), probes: 0, isOpen: false };
    this.#holders.set(url, made);
    return made;
  }

  #skip({ name }: Holder, reason: SkipReason): Presence {
    this.#parts.events.skipped(name, reason);
    return "unknown";
  }

  #tellBreaker({ name }: Holder, state: HolderState, isOpen: boolean): void {
    if (state.isOpen === isOpen) return;
    state.isOpen = isOpen;
    this.#parts.events.breaker(name, isOpen ? "open" : "closed");
  }
}
