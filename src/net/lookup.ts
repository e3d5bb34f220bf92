import { putNewest } from "./bounded.ts";

/** All addresses a host name has, as text. */
export type Lookup = (host: string) => Promise<readonly string[]>;

/** How long an answer stands: long enough for a burst of requests, too short to miss that a name has moved. */
const rememberedMs = 5000;
const namesMax = 256;

/** The system's resolver, both address families, without blocking a thread. */
export const systemLookup: Lookup = async (host) => (await Bun.dns.lookup(host)).map((found) => found.address);

interface Remembered {
  readonly addresses: Promise<readonly string[]>;
  readonly untilMs: number;
}

/**
 * Looks a name up once for all who ask within five seconds. In a cluster one look-up is many questions, one for each search domain and
 * family, and every request would ask them. What fails is not remembered, nor more than 256 names.
 */
export function rememberLookups(lookup: Lookup, nowMs: () => number): Lookup {
  const names = new Map<string, Remembered>();
  return (host) => {
    const known = names.get(host);
    if (known !== undefined && known.untilMs > nowMs()) return known.addresses;
    const fresh: Remembered = { addresses: lookup(host), untilMs: nowMs() + rememberedMs };
    fresh.addresses.catch(() => {
      if (names.get(host) === fresh) names.delete(host);
    });
    putNewest(names, host, fresh, namesMax);
    return fresh.addresses;
  };
}
