import { parseV6 } from "../net/address.ts";
import { putNewest } from "../net/bounded.ts";

/** How many probes one client may cause: `perSecond` in the long run, `burst` at once. */
export interface ClientRateOptions {
  readonly perSecond: number;
  readonly burst: number;
  /** Clients that are remembered; past it the one that was seen longest ago is forgotten. */
  readonly maxClients: number;
}

/**
 * Counts what each client causes, in one number each: the time at which it will have paid for everything. An IPv6 client is its
 * /64, which is what one subscriber has.
 */
export class ClientRate {
  readonly #paidAtMs = new Map<string, number>();
  readonly #intervalMs: number;
  readonly #aheadMs: number;
  readonly #maxClients: number;

  constructor({ perSecond, burst, maxClients }: ClientRateOptions) {
    this.#intervalMs = 1000 / perSecond;
    this.#aheadMs = (burst - 1) * this.#intervalMs;
    this.#maxClients = maxClients;
  }

  /** Counts one probe of the client; false, and not counted, when it has caused too many. */
  take(client: string, nowMs: number): boolean {
    const key = subscriberOf(client);
    const paidAtMs = Math.max(this.#paidAtMs.get(key) ?? 0, nowMs);
    if (paidAtMs - nowMs > this.#aheadMs) return false;
    putNewest(this.#paidAtMs, key, paidAtMs + this.#intervalMs, this.#maxClients);
    return true;
  }
}

function subscriberOf(client: string): string {
  const words = client.includes(":") ? parseV6(client) : undefined;
  return words === undefined ? client : `${words[0]}:${words[1]}`;
}
