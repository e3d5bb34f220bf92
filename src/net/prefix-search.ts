import { type Address, type V6Groups, type V6Words, wordsOfGroups } from "./address.ts";
import type { PrefixTable } from "./prefix-table.ts";

/** The label of an address. */
export function labelOf(table: PrefixTable, address: Address): number {
  if (address.kind === "v6") return labelOfV6(table, address.words);
  const { v4Starts, v4Labels } = table;
  return v4Labels[lastAtOrBefore(v4Starts, address.bits, 0, v4Starts.length - 1)] ?? 0;
}

/** A faster look-up of IPv4 labels by the address's 32 bits: 256 KiB that say where in the table each /16 begins. */
export function indexV4({ v4Starts, v4Labels }: PrefixTable): (bits: number) => number {
  const lasts = lastsBefore(v4Labels.length, (at) => (v4Starts[at] ?? 0) >>> 16, 65_536);
  return (bits) => {
    const block = bits >>> 16;
    return v4Labels[lastAtOrBefore(v4Starts, bits, lasts[block] ?? 0, lasts[block + 1] ?? 0)] ?? 0;
  };
}

/** For each of the first `blocks` /16 blocks, and for what follows them, the last interval that starts before it, or 0. */
function lastsBefore(intervals: number, blockOf: (at: number) => number, blocks: number): Int32Array {
  const lasts = new Int32Array(blocks + 1);
  let filled = 0;
  for (let at = 1; at < intervals; at += 1) {
    const block = blockOf(at);
    if (block < filled) continue;
    lasts.fill(at - 1, filled, block + 1);
    filled = block + 1;
  }
  return lasts.fill(intervals - 1, filled);
}

/** The index between `first` and `last` of the last start that is not behind `bits`. */
function lastAtOrBefore(starts: Uint32Array, bits: number, first: number, last: number): number {
  let low = first;
  let high = last;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((starts[middle] ?? 0) <= bits) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The label of the IPv6 address with these words. */
function labelOfV6(table: PrefixTable, words: V6Words): number {
  return searchV6(table, words, 0, table.v6Labels.length - 1);
}

/**
 * A faster look-up of IPv6 labels by the address's groups: by the first group to the intervals that start in that /16, then by the next
 * three, as one number of 48 bits, which nearly always decide. No branch depends on what is compared: nothing could guess it.
 */
export function indexV6(table: PrefixTable): (groups: V6Groups) => number {
  const { v6Starts, v6Labels } = table;
  const word = (at: number, index: number): number => v6Starts[at * 4 + index] ?? 0;
  const blocks = (word(v6Labels.length - 1, 0) >>> 16) + 1;
  const lasts = lastsBefore(v6Labels.length, (at) => word(at, 0) >>> 16, blocks);
  const keys = Float64Array.from(v6Labels, (_, at) => (word(at, 0) & 0xffff) * 2 ** 32 + word(at, 1));
  return (groups) => {
    const block = Math.min(groups[0] ?? 0, blocks);
    const key = (groups[1] ?? 0) * 2 ** 32 + (groups[2] ?? 0) * 65_536 + (groups[3] ?? 0);
    const first = lasts[block] ?? 0;
    let low = first;
    for (let size = (lasts[block + 1] ?? low) - low + 1; size > 1; ) {
      const half = size >>> 1;
      low += half & -Number((keys[low + half] ?? 0) <= key);
      size -= half;
    }
    const isDecided = low === first || keys[low] !== key || (word(low, 2) | word(low, 3)) === 0;
    return isDecided ? (v6Labels[low] ?? 0) : searchV6(table, wordsOfGroups(groups), first, low);
  };
}

/** The label of the last interval between `first` and `last` that starts at or before `words`. */
function searchV6(table: PrefixTable, words: V6Words, first: number, last: number): number {
  let low = first;
  let high = last;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (startsAtOrBefore(table.v6Starts, middle, words)) low = middle;
    else high = middle - 1;
  }
  return table.v6Labels[low] ?? 0;
}

/** Whether the start at `index` is not behind `words`. Written out: nearly every comparison ends at the first or second word. */
function startsAtOrBefore(starts: Uint32Array, index: number, words: V6Words): boolean {
  const at = index * 4;
  const first = starts[at] ?? 0;
  if (first !== words[0]) return first < words[0];
  const second = starts[at + 1] ?? 0;
  if (second !== words[1]) return second < words[1];
  const third = starts[at + 2] ?? 0;
  if (third !== words[2]) return third < words[2];
  return (starts[at + 3] ?? 0) <= words[3];
}
