import { Breaker, type BreakerOptions, type Outcome } from "./breaker.ts";
import type { Incoming, Exchange } from "./transport.ts";
import type { Unavailable } from "./remote.ts";
import { unavailable } from "./unavailable.ts";

const foreignMax = 64;

/**
 * A breaker for each origin that one upstream leads to: its own, its token service, the hosts it redirects to. A dead blob host
 * does not keep manifests away. The table of others is bounded; the longest unused is forgotten.
 */
export class Breakers {
  readonly #options: BreakerOptions;
  readonly #own: Breaker;
  readonly #ownOrigin: string;
  readonly #others = new Map<string, Breaker>();

  constructor(ownOrigin: string, options: BreakerOptions) {
    this.#options = options;
    this.#ownOrigin = ownOrigin;
    this.#own = new Breaker(options);
  }

  /** The answer while the upstream itself is not to be asked. */
  open(): Unavailable | undefined {
    const retryAfterMs = this.#own.openForMs();
    return retryAfterMs > 0 ? breakerOpen(new URL(this.#ownOrigin).host, retryAfterMs) : undefined;
  }

  /** Sends by the exchange what a breaker admits, and tells it how that went; `heed` is told of each answer of the upstream itself. */
  guard(exchange: Exchange, heed: (response: Response) => void = () => {}): Exchange {
    return async (outgoing) => {
      const { target } = outgoing;
      const admission = (target.isOwn ? this.#own : this.#of(target.url.origin)).admit();
      if (admission.kind === "open") return breakerOpen(target.url.host, admission.retryAfterMs);
      const answer = await exchange(outgoing);
      admission.settle(outcomeOf(answer));
      if (target.isOwn && answer.kind === "response") heed(answer.response);
      return answer;
    };
  }

  #of(origin: string): Breaker {
    if (origin === this.#ownOrigin) return this.#own;
    const breaker = this.#others.get(origin) ?? new Breaker(this.#options);
    this.#others.delete(origin);
    this.#others.set(origin, breaker);
    for (const oldest of this.#others.keys()) {
      if (this.#others.size <= foreignMax) break;
      this.#others.delete(oldest);
    }
    return breaker;
  }
}

/** A server that answers works, whatever it answers, as long as that is no 5xx; 501 is a feature it has not. */
function outcomeOf(answer: Incoming | Unavailable): Outcome {
  if (answer.kind === "response") {
    const { status } = answer.response;
    return status >= 500 && status !== 501 ? "failure" : "success";
  }
  return answer.reason === "unreachable" || answer.reason === "timeout" ? "failure" : "unknown";
}

function breakerOpen(host: string, retryAfterMs: number): Unavailable {
  const seconds = Math.ceil(retryAfterMs / 1000);
  const message = `${host} failed just now and is not asked for ${seconds} s more`;
  return unavailable("breaker-open", message, { retryAfterMs: Math.ceil(retryAfterMs) });
}
