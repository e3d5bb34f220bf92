import { mappedV4, parseV4, readV6Groups } from "./address.ts";
import { indexV4, indexV6 } from "./prefix-search.ts";
import type { PrefixTable } from "./prefix-table.ts";

/** The clouds whose published address lists are known, by the names the configuration uses. */
export const CLOUD_NAMES = ["aws", "gcp", "azure"] as const;

/** One of the known clouds. */
export type CloudName = (typeof CLOUD_NAMES)[number];

/** Where an address belongs. No region: the cloud announces it for all regions alike (AWS "GLOBAL", Google "global"). */
export interface CloudLocation {
  readonly cloud: CloudName;
  readonly region: string | undefined;
}

/** The clouds' lists as plain data. Label n of `prefixes` is `locations[n - 1]`; 0 is no cloud. */
export interface CloudTable {
  /** The date or version each cloud gives its list, as published. */
  readonly published: Readonly<Record<CloudName, string>>;
  /** How many blocks each cloud's list had. */
  readonly prefixCounts: Readonly<Record<CloudName, number>>;
  readonly locations: readonly CloudLocation[];
  readonly prefixes: PrefixTable;
}

/** An immutable set of cloud ranges. `lookup` takes the text of an address and allocates nothing. */
export interface CloudRanges {
  readonly table: CloudTable;
  lookup(addressText: string): CloudLocation | undefined;
}

/** Makes a table searchable. What is no address, or is in no cloud, is undefined. */
export function cloudRanges(table: CloudTable): CloudRanges {
  const byLabel: readonly (CloudLocation | undefined)[] = [undefined, ...table.locations];
  const { prefixes } = table;
  const labelOfV4 = indexV4(prefixes);
  const labelOfV6 = indexV6(prefixes);
  const groups = new Uint16Array(8);
  const lookup = (addressText: string): CloudLocation | undefined => {
    const bits = parseV4(addressText);
    if (bits >= 0) return byLabel[labelOfV4(bits)];
    if (!readV6Groups(addressText, groups)) return undefined;
    const mapped = mappedV4(groups);
    return byLabel[mapped < 0 ? labelOfV6(groups) : labelOfV4(mapped)];
  };
  return { table, lookup };
}
