import { type Clock, pause } from "../registry/clock.ts";
import { Gate } from "../registry/gate.ts";
import type { CallLimits, Unavailable } from "../registry/remote.ts";

/** What a copy runs in: time, its end, and somebody to be told of waits. */
export interface CopyWorld {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly note: (message: string) => void;
}

/** Nobody waits for a single answer of a copy, so it may take this long. */
const answerMs = 30_000;
/** How long a registry that asks to be left alone is waited for, in all, before one question is given up. */
const patienceMs = 15 * 60_000;
const unnamedWaitMs = 10_000;
const questionsAtOnce = 16;

/** Asks questions that are answered in a moment: a number at once, and with patience for who asks to be asked less. */
export class Asking {
  readonly #world: CopyWorld;
  readonly #gate = new Gate(questionsAtOnce);
  readonly #toldUntilMs = new Map<string, number>();

  constructor(world: CopyWorld) {
    this.#world = world;
  }

  get signal(): AbortSignal {
    return this.#world.signal;
  }

  /** One question to `whom`, in its turn. */
  async ask<A>(whom: string, act: (limits: CallLimits) => Promise<A | Unavailable>): Promise<A | Unavailable> {
    return await this.patiently(whom, async (limits) => {
      const turn = await this.#gate.enter(limits.signal);
      if (turn === undefined) return stopped(whom);
      try {
        return await act(limits);
      } finally {
        turn.release();
      }
    });
  }

  /** Work that has a turn of its own: done again once the pause that was asked for is over. */
  async patiently<A>(whom: string, act: (limits: CallLimits) => Promise<A | Unavailable>): Promise<A | Unavailable> {
    const { clock, signal } = this.#world;
    const untilMs = clock.nowMs() + patienceMs;
    for (;;) {
      if (signal.aborted) return stopped(whom);
      const answer = await act({ signal, timeoutMs: answerMs });
      const waitMs = waitOf(answer);
      if (waitMs === undefined || clock.nowMs() + waitMs > untilMs) return answer;
      this.#tell(whom, waitMs);
      await pause(clock, waitMs, signal);
    }
  }

  /** Many wait for the same registry at the same time: it is said once. */
  #tell(whom: string, waitMs: number): void {
    const nowMs = this.#world.clock.nowMs();
    const isTold = (this.#toldUntilMs.get(whom) ?? 0) > nowMs;
    if (isTold || waitMs < 2000) return;
    this.#toldUntilMs.set(whom, nowMs + waitMs);
    this.#world.note(`${whom} asks to be left alone: going on in ${Math.ceil(waitMs / 1000)} s`);
  }
}

function waitOf(answer: unknown): number | undefined {
  if (!isUnavailable(answer)) return undefined;
  if (answer.reason !== "rate-limited" && answer.reason !== "breaker-open") return undefined;
  return Math.max(answer.retryAfterMs ?? unnamedWaitMs, 100);
}

function isUnavailable(answer: unknown): answer is Unavailable {
  return typeof answer === "object" && answer !== null && "kind" in answer && answer.kind === "unavailable";
}

function stopped(whom: string): Unavailable {
  const message = `${whom} was not asked any more: stopped`;
  return { kind: "unavailable", reason: "cancelled", status: undefined, message, retryAfterMs: undefined };
}
