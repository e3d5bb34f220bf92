import type { Settings } from "../config/settings.ts";
import type { Clock } from "../registry/clock.ts";
import type { ClientPlace } from "./bucket-choice.ts";
import type { Presence } from "./events.ts";
import type { Existence } from "./existence.ts";
import { type Candidate, type Chain, createRouter, isTaken, type Located, type Router, type Wanted } from "./route.ts";

/** Looks up the cloud and region of a client's address; `undefined` for what is in no cloud. */
export interface PlaceLookup {
  lookup(addressText: string): ClientPlace | undefined;
}

/** Locates content for one configuration. */
export interface Steer {
  /**
   * Where a pull that is to be redirected goes. `query` is raw, without "?". At once when everything needed is known; else
   * within the time box. Whatever fails, the answer is the upstream. Throws CONFIG_INVALID as `Router` does.
   */
  locate(wanted: Wanted, query: string, client: string): Located | Promise<Located>;
}

/** What a steer is made from. `existence` outlives configurations. */
export interface SteerParts {
  readonly settings: Pick<Settings, "upstreams" | "redirect">;
  readonly places: PlaceLookup;
  readonly existence: Existence;
  readonly clock: Clock;
  /** How long one request waits for all its holders together. */
  readonly boxMs?: number;
}

const defaultBoxMs = 500;

/** Makes the steer of a configuration. */
export function createSteer(parts: SteerParts): Steer {
  return new RoutedSteer(parts);
}

class RoutedSteer implements Steer {
  readonly #parts: SteerParts;
  readonly #router: Router;

  constructor(parts: SteerParts) {
    this.#parts = parts;
    this.#router = createRouter(parts.settings);
  }

  locate(wanted: Wanted, query: string, client: string): Located | Promise<Located> {
    const place = wanted.endpoint.kind === "blob" ? this.#parts.places.lookup(client) : undefined;
    const route = this.#router.route(wanted, query, place);
    return route.kind === "located" ? route : this.#follow(route, client);
  }

  #follow(chain: Chain, client: string): Located | Promise<Located> {
    const { existence } = this.#parts;
    for (const candidate of chain.candidates) {
      const answer = existence.known(candidate) ?? existence.ask(candidate, client);
      if (typeof answer !== "string") return this.#wait(chain, { candidate, answer }, client);
      if (isTaken(candidate, answer)) return locatedAt(chain, candidate, false);
    }
    return chain.otherwise;
  }

  /** Goes on from a candidate that is being asked. When the box is over, what is known by then decides. */
  async #wait(chain: Chain, asked: Asked, client: string): Promise<Located> {
    const { existence, clock, boxMs = defaultBoxMs } = this.#parts;
    const box = startBox(clock, boxMs);
    try {
      const rest = chain.candidates.slice(chain.candidates.indexOf(asked.candidate) + 1);
      if (isTaken(asked.candidate, await box.within(asked.answer))) return locatedAt(chain, asked.candidate, true);
      for (const candidate of rest) {
        const answer = existence.known(candidate) ?? (box.isOver() ? "unknown" : existence.ask(candidate, client));
        if (isTaken(candidate, await box.within(answer))) return locatedAt(chain, candidate, true);
      }
      return { ...chain.otherwise, probed: true };
    } finally {
      box.end();
    }
  }
}

/** The candidate that is being asked. */
interface Asked {
  readonly candidate: Candidate;
  readonly answer: Promise<Presence>;
}

/** The time that one request may wait in all. */
interface Box {
  isOver(): boolean;
  /** The answer, or "unknown" when the box is over before it. */
  within(answer: Presence | Promise<Presence>): Promise<Presence>;
  end(): void;
}

function startBox(clock: Clock, boxMs: number): Box {
  const over = Promise.withResolvers<Presence>();
  let isOver = false;
  const end = clock.schedule(boxMs, () => {
    isOver = true;
    over.resolve("unknown");
  });
  return { isOver: () => isOver, within: (answer) => Promise.race([answer, over.promise]), end };
}

function locatedAt({ otherwise }: Chain, { location, source }: Candidate, probed: boolean): Located {
  return { kind: "located", location, source, place: otherwise.place, probed };
}
