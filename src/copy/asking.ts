import type { Clock } from "../registry/clock.ts";
import type { CallLimits, Unavailable } from "../registry/remote.ts";
import type { ImageSource } from "./ends.ts";
import { RegistryGates } from "./gates.ts";

/** What a copy runs in: time, its end, and somebody to be told of waits. */
export interface CopyWorld {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly note: (message: string) => void;
}

/** Who is asked. */
export type Asked = Pick<ImageSource, "name" | "place">;

/** Nobody waits for a single answer of a copy, so it may take this long. */
const answerMs = 30_000;
/** How long a registry that asks to be left alone is waited for, in all, before one question is given up. */
const patienceMs = 15 * 60_000;
const questionsAtOnce = 16;
/** Shorter waits are nobody's concern. */
const tellFromMs = 3000;

/** The one way to an end: so many questions to a registry at once, and what a copy has time for. */
export class Asking {
  readonly #world: CopyWorld;
  readonly #gates = new RegistryGates(questionsAtOnce);
  readonly #toldUntilMs = new Map<string, number>();

  constructor(world: CopyWorld) {
    this.#world = world;
  }

  get clock(): Clock {
    return this.#world.clock;
  }

  get signal(): AbortSignal {
    return this.#world.signal;
  }

  /** One question that is answered in a moment, in its turn. */
  async ask<A>(whom: Asked, act: (limits: CallLimits) => Promise<A | Unavailable>): Promise<A | Unavailable> {
    const entering = this.#gates.enter(whom, this.signal);
    const turn = entering instanceof Promise ? await entering : entering;
    if (turn === undefined) return stopped(whom);
    try {
      return await act(this.limits(whom));
    } finally {
      turn.release();
    }
  }

  /** The limits of a call, for work that has a turn of its own. */
  limits(whom: Asked): CallLimits {
    const onWait: CallLimits["onWait"] = (waitMs, why) => this.#tell(whom, waitMs, why);
    return { signal: this.signal, timeoutMs: answerMs, patienceMs, onWait };
  }

  /** Many wait for the same registry at the same time: it is said once. */
  #tell({ name, place }: Asked, waitMs: number, why: "asked" | "failing"): void {
    const whom = place?.registry ?? name;
    const nowMs = this.#world.clock.nowMs();
    if ((this.#toldUntilMs.get(whom) ?? 0) > nowMs || waitMs < tellFromMs) return;
    this.#toldUntilMs.set(whom, nowMs + waitMs);
    const waits = why === "asked" ? "asks to be left alone: going on" : "fails again and again: trying again";
    this.#world.note(`${whom} ${waits} in ${Math.ceil(waitMs / 1000)} s`);
  }
}

/** The answer of who was not asked any more. */
export function stopped({ name }: Asked): Unavailable {
  const message = `${name} was not asked any more: stopped`;
  return { kind: "unavailable", reason: "cancelled", status: undefined, message, retryAfterMs: undefined };
}
