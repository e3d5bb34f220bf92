import { addressBits, addressNumber, type Cidr } from "./cidr.ts";

/** A block and the label its addresses get. Labels are 0 to 65535; 0 is what addresses outside every block get. */
export interface LabelledCidr {
  readonly cidr: Cidr;
  readonly label: number;
}

/**
 * The longest-prefix answer for every address, as sorted borders: interval i begins at its start and ends before the next one's. The
 * first start is 0, so each family is covered whole; an IPv6 start takes four words. Plain data: it can be written out and read back.
 */
export interface PrefixTable {
  readonly v4Starts: Uint32Array;
  readonly v4Labels: Uint16Array;
  readonly v6Starts: Uint32Array;
  readonly v6Labels: Uint16Array;
}

/** Flattens blocks into a table. Where blocks nest the longer prefix wins; of the same block given twice, the last. */
export function buildPrefixTable(blocks: readonly LabelledCidr[]): PrefixTable {
  const v4 = flatten(blocks.filter((block) => block.cidr.address.kind === "v4"));
  const v6 = flatten(blocks.filter((block) => block.cidr.address.kind === "v6"));
  return {
    v4Starts: Uint32Array.from(v4.starts, Number),
    v4Labels: Uint16Array.from(v4.labels),
    v6Starts: Uint32Array.from(v6.starts.flatMap(wordsOf)),
    v6Labels: Uint16Array.from(v6.labels),
  };
}

interface Range {
  readonly start: bigint;
  /** The first address behind the range. */
  readonly end: bigint;
  readonly label: number;
}

interface Borders {
  readonly starts: bigint[];
  readonly labels: number[];
}

/** Sweeps blocks of one family by start, wider first; blocks nest or are apart, so the open ones form a stack. */
function flatten(blocks: readonly LabelledCidr[]): Borders {
  const borders: Borders = { starts: [], labels: [] };
  const open: Range[] = [];
  addBorder(borders, 0n, 0);
  for (const range of blocks.map(rangeOf).sort(byStartThenWidth)) {
    closeUpTo(range.start, open, borders);
    open.push(range);
    addBorder(borders, range.start, range.label);
  }
  closeUpTo(1n << 128n, open, borders);
  return dropBorderAtEnd(borders, blocks[0]);
}

/** Closes the open ranges that end at or before `limit`, innermost first; what follows each is the range around it, or nothing. */
function closeUpTo(limit: bigint, open: Range[], borders: Borders): void {
  for (let top = open.at(-1); top !== undefined && top.end <= limit; top = open.at(-1)) {
    open.pop();
    addBorder(borders, top.end, open.at(-1)?.label ?? 0);
  }
}

function rangeOf({ cidr, label }: LabelledCidr): Range {
  const start = addressNumber(cidr.address);
  return { start, end: start + (1n << BigInt(addressBits(cidr.address) - cidr.prefixBits)), label };
}

function byStartThenWidth(a: Range, b: Range): number {
  if (a.start !== b.start) return a.start < b.start ? -1 : 1;
  if (a.end !== b.end) return a.end > b.end ? -1 : 1;
  return 0;
}

/** Adds a border behind the others, or in place of the last one when both begin at the same address; equal neighbours become one. */
function addBorder(borders: Borders, start: bigint, label: number): void {
  if (borders.starts.at(-1) === start) {
    borders.starts.pop();
    borders.labels.pop();
  }
  if (borders.labels.at(-1) === label) return;
  borders.starts.push(start);
  borders.labels.push(label);
}

/** A block that reaches the end of the address space leaves a border one past the last address, which no array can hold. */
function dropBorderAtEnd(borders: Borders, anyBlock: LabelledCidr | undefined): Borders {
  if (anyBlock === undefined) return borders;
  if (borders.starts.at(-1) !== 1n << BigInt(addressBits(anyBlock.cidr.address))) return borders;
  borders.starts.pop();
  borders.labels.pop();
  return borders;
}

function wordsOf(start: bigint): readonly number[] {
  return [96n, 64n, 32n, 0n].map((shift) => Number((start >> shift) & 0xffffffffn));
}
