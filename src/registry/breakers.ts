import { putNewest } from "../net/bounded.ts";
import { Breaker, type BreakerOptions, type Outcome } from "./breaker.ts";
import type { Incoming, Exchange } from "./transport.ts";
import type { Unavailable } from "./remote.ts";
import { isServerError } from "./statuses.ts";
import { unavailable } from "./unavailable.ts";

const foreignMax = 64;

interface Guarded {
  readonly breaker: Breaker;
  /** What the last failure was. */
  fault: string | undefined;
}

/**
 * A breaker for each origin that one upstream leads to: its own, its token service, the hosts it redirects to. A dead blob host
 * does not keep manifests away. The table of others is bounded; the longest unused is forgotten.
 */
export class Breakers {
  readonly #options: BreakerOptions;
  readonly #own: Guarded;
  readonly #ownOrigin: string;
  readonly #others = new Map<string, Guarded>();

  constructor(ownOrigin: string, options: BreakerOptions) {
    this.#options = options;
    this.#ownOrigin = ownOrigin;
    this.#own = { breaker: new Breaker(options), fault: undefined };
  }

  /** The answer while the upstream itself is not to be asked. */
  open(): Unavailable | undefined {
    const retryAfterMs = this.#own.breaker.openForMs();
    return retryAfterMs > 0 ? breakerOpen(this.#own, new URL(this.#ownOrigin).host, retryAfterMs) : undefined;
  }

  /** How long the upstream itself has failed without a success in between; 0 while it is asked freely. */
  failingForMs(): number {
    return this.#own.breaker.failingForMs();
  }

  /** Sends by the exchange what a breaker admits, and tells it how that went; `heed` is told of each answer of the upstream itself. */
  guard(exchange: Exchange, heed: (response: Response) => void = () => {}): Exchange {
    return async (outgoing) => {
      const { target } = outgoing;
      const guarded = target.isOwn ? this.#own : this.#of(target.url.origin);
      const admission = guarded.breaker.admit();
      if (admission.kind === "open") return breakerOpen(guarded, target.url.host, admission.retryAfterMs);
      const answer = await exchange(outgoing);
      const outcome = outcomeOf(answer);
      if (outcome === "failure") guarded.fault = faultOf(answer, target.url.host);
      admission.settle(outcome);
      if (target.isOwn && answer.kind === "response") heed(answer.response);
      return answer;
    };
  }

  #of(origin: string): Guarded {
    if (origin === this.#ownOrigin) return this.#own;
    const guarded = this.#others.get(origin) ?? { breaker: new Breaker(this.#options), fault: undefined };
    putNewest(this.#others, origin, guarded, foreignMax);
    return guarded;
  }
}

/** A server that answers works, whatever it answers, as long as that is no failure of its own. */
function outcomeOf(answer: Incoming | Unavailable): Outcome {
  if (answer.kind === "response") {
    return isServerError(answer.response.status) ? "failure" : "success";
  }
  return answer.reason === "unreachable" || answer.reason === "timeout" ? "failure" : "unknown";
}

function faultOf(answer: Incoming | Unavailable, host: string): string {
  return answer.kind === "response" ? `${host} answered ${answer.response.status}` : answer.message;
}

function breakerOpen({ fault }: Guarded, host: string, retryAfterMs: number): Unavailable {
  const seconds = Math.ceil(retryAfterMs / 1000);
  const message = `${fault ?? `${host} failed`}; it is not asked for ${seconds} s more`;
  return unavailable("breaker-open", message, { retryAfterMs: Math.ceil(retryAfterMs) });
}
