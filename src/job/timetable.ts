import type { SyncEntry } from "../sync/plan-input.ts";
import { nextRun } from "../sync/schedule.ts";

/** When which entries are due. All are at first; who has no schedule is not again. Times are in ms since 1970. */
export class Timetable {
  readonly #dueAtMs: Map<SyncEntry, number>;

  constructor(entries: readonly SyncEntry[], nowMs: number) {
    this.#dueAtMs = new Map(entries.map((entry) => [entry, nowMs]));
  }

  /** The entries that are due, in their order. */
  due(nowMs: number): readonly SyncEntry[] {
    return [...this.#dueAtMs].flatMap(([entry, atMs]) => (atMs <= nowMs ? [entry] : []));
  }

  /** Notes a run that began then. Times that passed while it was under way are made up for once. */
  ran(entries: readonly SyncEntry[], beganAtMs: number): void {
    for (const entry of entries) {
      const atMs = entry.schedule === undefined ? undefined : nextRun(entry.schedule, beganAtMs);
      // In place, so that the order stays.
      this.#dueAtMs.set(entry, atMs ?? Number.POSITIVE_INFINITY);
    }
  }

  /** When the next one is due; `undefined` when none ever is. */
  nextAtMs(): number | undefined {
    const next = Math.min(...this.#dueAtMs.values());
    return Number.isFinite(next) ? next : undefined;
  }
}
