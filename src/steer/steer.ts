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
    for (const [index, candidate] of chain.candidates.entries()) {
      const answer = existence.known(candidate) ?? existence.ask(candidate, client);
      if (typeof answer !== "string") return this.#wait(chain, { index, answer, client });
      if (isTaken(candidate, answer)) return locatedAt(chain, candidate, false);
    }
    return chain.otherwise;
  }

  /** Goes on from a candidate that had to be asked. When the box is over, what is known by then decides. */
  async #wait(chain: Chain, asked: Asked): Promise<Located> {
    const { existence, clock, boxMs = defaultBoxMs } = this.#parts;
    const box = Promise.withResolvers<"over">();
    let isOver = false;
    const cancel = clock.schedule(boxMs, () => {
      isOver = true;
      box.resolve("over");
    });
    try {
      let answer: Presence | Promise<Presence> = asked.answer;
      for (const candidate of chain.candidates.slice(asked.index)) {
        if (candidate !== chain.candidates[asked.index]) {
          answer = existence.known(candidate) ?? (isOver ? "unknown" : existence.ask(candidate, asked.client));
        }
        const presence = await Promise.race([answer, box.promise]);
        if (isTaken(candidate, presence === "over" ? "unknown" : presence)) return locatedAt(chain, candidate, true);
      }
      return { ...chain.otherwise, probed: true };
    } finally {
      cancel();
    }
  }
}

/** The candidate that is being asked, and by whom. */
interface Asked {
  readonly index: number;
  readonly answer: Promise<Presence>;
  readonly client: string;
}

function locatedAt({ otherwise }: Chain, { location, source }: Candidate, probed: boolean): Located {
  return { kind: "located", location, source, place: otherwise.place, probed };
}
