import type { Address } from "./address.ts";
import type { Cidr } from "./cidr.ts";
import { labelOf } from "./prefix-search.ts";
import { buildPrefixTable } from "./prefix-table.ts";

/** An immutable set of addresses, for `clients` and `trustedProxies`. What could not be parsed as an address is in no set but `anyAddress`. */
export interface AddressSet {
  readonly isEmpty: boolean;
  contains(address: Address | undefined): boolean;
}

/** Every client, also one without an IP address (a Unix socket, a hop a proxy does not name). */
export const anyAddress: AddressSet = { isEmpty: false, contains: () => true };

/** No address: `trustedProxies` where none are configured. */
export const noAddress: AddressSet = { isEmpty: true, contains: () => false };

/** The addresses of these blocks, which may overlap. */
export function addressSet(cidrs: readonly Cidr[]): AddressSet {
  if (cidrs.length === 0) return noAddress;
  const table = buildPrefixTable(cidrs.map((cidr) => ({ cidr, label: 1 })));
  return { isEmpty: false, contains: (address) => address !== undefined && labelOf(table, address) === 1 };
}
