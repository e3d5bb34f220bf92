import type { Clock } from "./clock.ts";

/** How a request ended for who counts failures; "unknown" when it was given up for reasons of the caller. */
export type Outcome = "success" | "failure" | "unknown";

/** Leave to send one request, whose outcome must be told once; or how long there is none. */
export type Admission =
  | { readonly kind: "admitted"; settle(outcome: Outcome): void }
  | { readonly kind: "open"; readonly retryAfterMs: number };

/** When a breaker opens and for how long. */
export interface BreakerOptions {
  readonly clock: Clock;
  /** A number in [0, 1). */
  readonly random: () => number;
  /** Consecutive failures that open it. */
  readonly failuresToOpen?: number;
  readonly minOpenMs?: number;
  readonly maxOpenMs?: number;
}

/**
 * Keeps requests from a place that fails: after some failures in a row none is let through for a while, then one at a time to
 * try. The while doubles with each failed trial and is shortened at random by up to half, so that processes do not try in step.
 */
export class Breaker {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #failuresToOpen: number;
  readonly #minOpenMs: number;
  readonly #maxOpenMs: number;
  #failures = 0;
  #trips = 0;
  #openUntilMs: number | undefined;
  #failsSinceMs: number | undefined;
  #isTrying = false;

  constructor({ clock, random, failuresToOpen = 5, minOpenMs = 1000, maxOpenMs = 30_000 }: BreakerOptions) {
    this.#clock = clock;
    this.#random = random;
    this.#failuresToOpen = failuresToOpen;
    this.#minOpenMs = minOpenMs;
    this.#maxOpenMs = maxOpenMs;
  }

  /** Asks for leave; answers at once. */
  admit(): Admission {
    const retryAfterMs = this.openForMs();
    if (retryAfterMs > 0) return { kind: "open", retryAfterMs };
    if (this.#openUntilMs === undefined) return this.#admitted("regular");
    this.#isTrying = true;
    return this.#admitted("trial");
  }

  /** How long it lets nothing through, or at least so; 0 when it would admit one now. */
  openForMs(): number {
    if (this.#openUntilMs === undefined) return 0;
    const leftMs = this.#openUntilMs - this.#clock.nowMs();
    if (this.#isTrying) return Math.max(leftMs, this.#minOpenMs);
    return Math.max(leftMs, 0);
  }

  /** How long nothing but trials has been let through, none of which succeeded; 0 when all is let through. */
  failingForMs(): number {
    return this.#failsSinceMs === undefined ? 0 : this.#clock.nowMs() - this.#failsSinceMs;
  }

  #admitted(role: "regular" | "trial"): Admission {
    let isSettled = false;
    return {
      kind: "admitted",
      settle: (outcome) => {
        if (isSettled) return;
        isSettled = true;
        if (role === "trial") this.#isTrying = false;
        if (outcome === "success") this.#close();
        if (outcome === "failure") this.#fail(role);
      },
    };
  }

  #close(): void {
    this.#failures = 0;
    this.#trips = 0;
    this.#openUntilMs = undefined;
    this.#failsSinceMs = undefined;
  }

  /** A failure of a request from before it opened adds nothing. */
  #fail(role: "regular" | "trial"): void {
    if (this.#openUntilMs !== undefined && role === "regular") return;
    this.#failures += 1;
    if (role === "regular" && this.#failures < this.#failuresToOpen) return;
    this.#failsSinceMs ??= this.#clock.nowMs();
    const fullMs = Math.min(this.#maxOpenMs, this.#minOpenMs * 2 ** this.#trips);
    this.#openUntilMs = this.#clock.nowMs() + fullMs * (1 - this.#random() / 2);
    this.#trips = Math.min(this.#trips + 1, 30);
  }
}
