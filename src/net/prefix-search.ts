import type { Address, V6Words } from "./address.ts";
import type { PrefixTable } from "./prefix-table.ts";

/** The label of an address. */
export function labelOf(table: PrefixTable, address: Address): number {
  if (address.kind === "v6") return labelOfV6(table, address.words);
  const { v4Starts, v4Labels } = table;
  return v4Labels[lastAtOrBefore(v4Starts, address.bits, 0, v4Starts.length - 1)] ?? 0;
}

/** A faster look-up of IPv4 labels by the address's 32 bits: 256 KiB that say where in the table each /16 begins. */
export function indexV4({ v4Starts, v4Labels }: PrefixTable): (bits: number) => number {
  const firsts = new Uint32Array(65_537);
  let filled = 0;
  for (let at = 1; at < v4Starts.length; at += 1) {
    const block = Math.ceil((v4Starts[at] ?? 0) / 65_536);
    if (block === filled) continue;
    firsts.fill(at - 1, filled, block);
    filled = block;
  }
  firsts.fill(v4Starts.length - 1, filled);
  return (bits) => {
    const block = bits >>> 16;
    return v4Labels[lastAtOrBefore(v4Starts, bits, firsts[block] ?? 0, firsts[block + 1] ?? 0)] ?? 0;
  };
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

/** Where the intervals of one first word are, with the one before them, in which what lies before them all is. */
interface Span {
  readonly low: number;
  high: number;
}

/**
 * A faster look-up of IPv6 labels: by the first word to the few intervals that start with it, then by the second words, which stand
 * close together in an array of their own and nearly always decide.
 */
export function indexV6(table: PrefixTable): (words: V6Words) => number {
  const { v6Starts, v6Labels } = table;
  const spans = spansOf(table);
  const firsts = Uint32Array.from(spans.keys());
  const lasts = Uint32Array.from(spans.values(), ({ high }) => high);
  const seconds = Uint32Array.from(v6Labels, (_, at) => v6Starts[at * 4 + 1] ?? 0);
  return (words) => {
    const span = spans.get(words[0]);
    if (span === undefined) return v6Labels[lasts[lastAtOrBefore(firsts, words[0], 0, firsts.length - 1)] ?? 0] ?? 0;
    const at = lastAtOrBefore(seconds, words[1], span.low, span.high);
    const isDecided = at === span.low || seconds[at] !== words[1] || startsAtOrBefore(v6Starts, at, words);
    return isDecided ? (v6Labels[at] ?? 0) : searchV6(table, words, span.low, at);
  };
}

/** The spans by first word, in the order of the table. */
function spansOf({ v6Starts, v6Labels }: PrefixTable): Map<number, Span> {
  const spans = new Map<number, Span>();
  for (let at = 0; at < v6Labels.length; at += 1) {
    const first = v6Starts[at * 4] ?? 0;
    const span = spans.get(first);
    if (span === undefined) spans.set(first, { low: Math.max(0, at - 1), high: at });
    else span.high = at;
  }
  return spans;
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
