import { putNewest } from "../net/bounded.ts";

const originsMax = 256;

/**
 * Remembers, for each origin, the one address that last did not answer, and puts it behind the others: an address that swallows
 * connections costs one call, not every one. The table is bounded, oldest out first.
 */
export class AddressOrder {
  readonly #failed = new Map<string, string>();

  /** The addresses in the order to try them. */
  sort(origin: string, addresses: readonly string[]): readonly string[] {
    const failed = this.#failed.get(origin);
    if (failed === undefined || !addresses.includes(failed)) return addresses;
    return [...addresses.filter((address) => address !== failed), failed];
  }

  /** Takes note of an address that did not answer. */
  failed(origin: string, address: string): void {
    putNewest(this.#failed, origin, address, originsMax);
  }
}
