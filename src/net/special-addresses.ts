import type { Address } from "./address.ts";
import { parseCidr } from "./cidr.ts";
import { labelOf } from "./prefix-search.ts";
import { buildPrefixTable, type PrefixTable } from "./prefix-table.ts";

/**
 * What an address is for. `private`: a host of the operator's own, reachable only where that is wanted. `forbidden`: never a registry, as
 * cloud metadata services, or a way to spell another address.
 */
export type AddressScope =
  | { readonly kind: "public" }
  | { readonly kind: "private"; readonly name: string }
  | { readonly kind: "forbidden"; readonly name: string };

const NAT64 = "NAT64";

/**
 * The IANA special-purpose address registries (RFC 6890), the multicast blocks, and the fixed addresses at which clouds give credentials
 * to their machines. The longest prefix counts. IPv6 is public only inside 2000::/3, all that is handed out (RFC 4291, 2.4).
 */
const SCOPES: readonly (readonly [block: string, kind: AddressScope["kind"], name: string])[] = [
  ["0.0.0.0/8", "forbidden", "this network"],
  ["10.0.0.0/8", "private", "private use"],
  ["100.64.0.0/10", "private", "carrier-grade NAT"],
  ["100.100.100.200/32", "forbidden", "cloud metadata"],
  ["127.0.0.0/8", "private", "loopback"],
  ["168.63.129.16/32", "forbidden", "cloud metadata"],
  ["169.254.0.0/16", "forbidden", "link-local"],
  ["172.16.0.0/12", "private", "private use"],
  ["192.0.0.0/24", "private", "protocol assignments"],
  ["192.0.0.192/32", "forbidden", "cloud metadata"],
  ["192.0.2.0/24", "private", "documentation"],
  ["192.88.99.0/24", "forbidden", "6to4 relay"],
  ["192.168.0.0/16", "private", "private use"],
  ["198.18.0.0/15", "private", "benchmarking"],
  ["198.51.100.0/24", "private", "documentation"],
  ["203.0.113.0/24", "private", "documentation"],
  ["224.0.0.0/4", "forbidden", "multicast"],
  ["240.0.0.0/4", "private", "reserved"],
  ["255.255.255.255/32", "forbidden", "broadcast"],
  ["::/0", "private", "not global unicast"],
  ["::/96", "forbidden", "v4-compatible"],
  ["::/128", "forbidden", "unspecified"],
  ["::1/128", "private", "loopback"],
  ["::ffff:0:0:0/96", "forbidden", "v4-translated"],
  ["64:ff9b::/96", "private", NAT64],
  ["64:ff9b:1::/48", "forbidden", "local NAT64"],
  ["100::/64", "forbidden", "discard"],
  ["2000::/3", "public", ""],
  ["2001::/23", "private", "protocol assignments"],
  ["2001::/32", "forbidden", "Teredo"],
  ["2001:2::/48", "private", "benchmarking"],
  ["2001:db8::/32", "private", "documentation"],
  ["2002::/16", "forbidden", "6to4"],
  ["3fff::/20", "private", "documentation"],
  ["fc00::/7", "private", "unique local"],
  ["fd00:42::42/128", "forbidden", "cloud metadata"],
  ["fd00:ec2::254/128", "forbidden", "cloud metadata"],
  ["fd20:ce::254/128", "forbidden", "cloud metadata"],
  ["fe80::/10", "forbidden", "link-local"],
  ["fec0::/10", "private", "site-local"],
  ["ff00::/8", "forbidden", "multicast"],
];

const SCOPE_TABLE: PrefixTable = buildPrefixTable(
  SCOPES.flatMap(([block], index) => {
    const cidr = parseCidr(block);
    return cidr === undefined ? [] : [{ cidr, label: index + 1 }];
  }),
);

/** What an address is for. Through NAT64 (RFC 6052) one reaches the IPv4 address in its last 32 bits, so a forbidden one stays forbidden. */
export function scopeOf(address: Address): AddressScope {
  const [, kind, name] = SCOPES[labelOf(SCOPE_TABLE, address) - 1] ?? [];
  if (kind === undefined || name === undefined || kind === "public") return { kind: "public" };
  if (address.kind === "v4" || name !== NAT64) return { kind, name };
  const behind = scopeOf({ kind: "v4", bits: address.words[3] });
  return behind.kind === "forbidden" ? behind : { kind, name };
}
