import { putNewest } from "../net/bounded.ts";
import type { Clock } from "./clock.ts";
import { startDeadline, within } from "./deadline.ts";
import type { Unavailable } from "./remote.ts";

/** A bearer token and how long its service says that it is good. */
export interface Token {
  readonly kind: "token";
  readonly token: string;
  readonly expiresInMs: number;
}

/** A token for one call. A fresh one was asked for during the call: if it is not accepted, another one will not be either. */
export interface TokenGrant {
  readonly kind: "grant";
  readonly token: string;
  readonly isFresh: boolean;
}

/** Asks the token service; ends with the signal. */
export type RequestToken = (signal: AbortSignal) => Promise<Token | Unavailable>;

interface Held {
  readonly answer: Token | Unavailable;
  readonly untilMs: number;
}

const entriesMax = 1024;
/** A token this close to its end is not used: it could end on the way. */
const skewMs = 30_000;
/** A service that said no is not asked again at once: wrong passwords, repeated, lock accounts. */
const refusalHeldMs = 10_000;
const requestTimeoutMs = 5000;

/**
 * The tokens of one upstream by scope, in a bounded table, oldest out first. One request at a time for a scope: whoever needs the
 * same token meanwhile waits for that request, and it outlives the caller that began it.
 */
export class TokenCache {
  readonly #clock: Clock;
  readonly #held = new Map<string, Held>();
  readonly #flights = new Map<string, Promise<Token | Unavailable>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A token for the scope: the one that is held, or a new one, waited for as long as the signal allows. */
  async get(scope: string, request: RequestToken, signal: AbortSignal): Promise<TokenGrant | Unavailable> {
    const held = this.#held.get(scope);
    if (held !== undefined && held.untilMs > this.#clock.nowMs()) {
      return held.answer.kind === "token" ? grant(held.answer, "held") : held.answer;
    }
    const answer = await within(signal, this.#flights.get(scope) ?? this.#fly(scope, request));
    return answer.kind === "token" ? grant(answer, "fresh") : answer;
  }

  /** The token that is held for the scope, if one is. */
  held(scope: string): TokenGrant | undefined {
    const held = this.#held.get(scope);
    const isGood = held?.answer.kind === "token" && held.untilMs > this.#clock.nowMs();
    return isGood && held.answer.kind === "token" ? grant(held.answer, "held") : undefined;
  }

  /** Forgets a token that was not accepted, unless it was renewed already. */
  drop(scope: string, token: string): void {
    const held = this.#held.get(scope);
    if (held?.answer.kind === "token" && held.answer.token === token) this.#held.delete(scope);
  }

  #fly(scope: string, request: RequestToken): Promise<Token | Unavailable> {
    const deadline = startDeadline(this.#clock, { signal: new AbortController().signal, timeoutMs: requestTimeoutMs });
    const flight = request(deadline.signal)
      .then((answer) => {
        this.#hold(scope, answer);
        return answer;
      })
      .finally(() => {
        deadline.end();
        this.#flights.delete(scope);
      });
    this.#flights.set(scope, flight);
    return flight;
  }

  #hold(scope: string, answer: Token | Unavailable): void {
    const heldMs = answer.kind === "token" ? answer.expiresInMs - skewMs : refusalHeldFor(answer);
    if (heldMs <= 0) this.#held.delete(scope);
    else putNewest(this.#held, scope, { answer, untilMs: this.#clock.nowMs() + heldMs }, entriesMax);
  }
}

/** What a network did is asked again; what a service said is held. */
function refusalHeldFor(answer: Unavailable): number {
  switch (answer.reason) {
    case "denied":
    case "refused":
      return refusalHeldMs;
    case "rate-limited":
      return answer.retryAfterMs ?? refusalHeldMs;
    default:
      return 0;
  }
}

function grant(token: Token, from: "held" | "fresh"): TokenGrant {
  return { kind: "grant", token: token.token, isFresh: from === "fresh" };
}
