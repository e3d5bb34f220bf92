import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Address, V6Groups, V6Words } from "./address.ts";
import { addressBits, addressNumber, type Cidr, parseCidr } from "./cidr.ts";
import { indexV4, indexV6, labelOf } from "./prefix-search.ts";
import { buildPrefixTable, type LabelledCidr } from "./prefix-table.ts";

/** The address of a family whose bits are this number. */
function addressOf(kind: Address["kind"], number: bigint): Address {
  if (kind === "v4") return { kind, bits: Number(number) };
  const word = (shift: bigint): number => Number((number >> shift) & 0xffffffffn);
  return { kind, words: [word(96n), word(64n), word(32n), word(0n)] };
}

function contains({ address, prefixBits }: Cidr, candidate: Address): boolean {
  if (address.kind !== candidate.kind) return false;
  const hostBits = BigInt(addressBits(address) - prefixBits);
  return addressNumber(address) >> hostBits === addressNumber(candidate) >> hostBits;
}

/** What the table must say: every block tried, the longest prefix, the last of equal ones. */
function bruteForce(blocks: readonly LabelledCidr[], address: Address): number {
  let best = { prefixBits: -1, label: 0 };
  for (const { cidr, label } of blocks) {
    if (contains(cidr, address) && cidr.prefixBits >= best.prefixBits) best = { prefixBits: cidr.prefixBits, label };
  }
  return best.label;
}

/** Blocks that crowd a few corners of the space, its two ends among them, so that many nest and touch. */
const blocks = (kind: Address["kind"]): fc.Arbitrary<readonly LabelledCidr[]> => {
  const width = kind === "v4" ? 32 : 128;
  const corner = fc.constantFrom(0n, (1n << BigInt(width)) - 1n, 0xa5a5n << BigInt(width - 16));
  const block = fc.tuple(
    corner,
    fc.bigInt(0n, 255n),
    fc.integer({ min: 0, max: width }),
    fc.integer({ min: 0, max: 4 }),
  );
  return fc.array(
    block.map(([base, spread, prefixBits, label]) => {
      const hostBits = BigInt(width - prefixBits);
      const number = ((base ^ (spread << (hostBits > 4n ? hostBits - 4n : 0n))) >> hostBits) << hostBits;
      return { cidr: { address: addressOf(kind, number & ((1n << BigInt(width)) - 1n)), prefixBits }, label };
    }),
    { maxLength: 24 },
  );
};

/** The first and last address of every block and their neighbours: where an answer can change. */
function borders(labelled: readonly LabelledCidr[]): readonly Address[] {
  return labelled.flatMap(({ cidr: { address, prefixBits } }) => {
    const first = addressNumber(address);
    const end = first + (1n << BigInt(addressBits(address) - prefixBits));
    return [first - 1n, first, end - 1n, end]
      .filter((number) => number >= 0n && number < 1n << BigInt(addressBits(address)))
      .map((number) => addressOf(address.kind, number));
  });
}

function groupsOf(words: V6Words): V6Groups {
  return Uint16Array.from(words.flatMap((word) => [word >>> 16, word & 0xffff]));
}

describe.each(["v4", "v6"] as const)("a table of %s blocks", (kind) => {
  test("answers as trying every block does", () => {
    fc.assert(
      fc.property(blocks(kind), (labelled) => {
        const table = buildPrefixTable(labelled);
        const fastV4 = indexV4(table);
        const fastV6 = indexV6(table);
        for (const address of borders(labelled)) {
          const expected = bruteForce(labelled, address);
          expect(labelOf(table, address)).toBe(expected);
          expect(address.kind === "v4" ? fastV4(address.bits) : fastV6(groupsOf(address.words))).toBe(expected);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("has sorted borders from the first address on, and no two neighbours alike", () => {
    fc.assert(
      fc.property(blocks(kind), (labelled) => {
        const table = buildPrefixTable(labelled);
        const labels = kind === "v4" ? table.v4Labels : table.v6Labels;
        const stride = kind === "v4" ? 1 : 4;
        const starts = [...(kind === "v4" ? table.v4Starts : table.v6Starts)].map((word) =>
          word.toString(16).padStart(8, "0"),
        );
        const keys = [...labels].map((_, index) => starts.slice(index * stride, (index + 1) * stride).join(""));
        expect(keys[0]).toBe("0".repeat(8 * stride));
        expect(starts.length).toBe(labels.length * stride);
        expect(new Set(keys).size).toBe(keys.length);
        expect(keys.toSorted()).toEqual(keys);
        expect([...labels].some((label, index) => index > 0 && label === labels[index - 1])).toBe(false);
      }),
    );
  });
});

test("an empty table answers 0", () => {
  const table = buildPrefixTable([]);
  expect(labelOf(table, { kind: "v4", bits: 1 })).toBe(0);
  expect(labelOf(table, { kind: "v6", words: [1, 2, 3, 4] })).toBe(0);
  expect(indexV4(table)(0xffffffff)).toBe(0);
  expect(indexV6(table)(groupsOf([0xffffffff, 0, 0, 0]))).toBe(0);
});

test("the longer prefix wins, whatever the order, and the last of equal ones", () => {
  const cidr = (text: string): Cidr => parseCidr(text) ?? { address: { kind: "v4", bits: 0 }, prefixBits: 0 };
  const table = buildPrefixTable([
    { cidr: cidr("10.1.0.0/16"), label: 2 },
    { cidr: cidr("10.0.0.0/8"), label: 1 },
    { cidr: cidr("10.1.0.0/16"), label: 3 },
  ]);
  expect([...table.v4Starts]).toEqual([0, 0x0a000000, 0x0a010000, 0x0a020000, 0x0b000000]);
  expect([...table.v4Labels]).toEqual([0, 1, 3, 1, 0]);
});
