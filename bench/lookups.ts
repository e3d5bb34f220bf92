/**
 * `bun bench/lookups.ts`: what one look-up of an address's cloud takes, from its text, in nanoseconds of this thread's
 * CPU. Addresses are of the clouds' own blocks and from anywhere, half each, all different, in an order without pattern.
 */
import { formatAddress } from "../src/net/address.ts";
import type { CloudRanges } from "../src/net/cloud-ranges.ts";
import { compiledCloudRanges } from "../src/net/cloud-snapshot.ts";

const COUNT = 20_000;
const BATCHES = 200;

/** The same sequence at every run: 32 bits a call. */
function random32(): () => number {
  let state = 0x9e3779b9;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

function v4Texts({ v4Starts }: CloudRanges["table"]["prefixes"], next: () => number): readonly string[] {
  return Array.from({ length: COUNT }, (_, i) => {
    const bits = i % 2 === 0 ? next() : ((v4Starts[next() % v4Starts.length] ?? 0) | (next() & 0xff)) >>> 0;
    return formatAddress({ kind: "v4", bits });
  });
}

function v6Texts({ v6Starts }: CloudRanges["table"]["prefixes"], next: () => number): readonly string[] {
  return Array.from({ length: COUNT }, (_, i) => {
    const at = (next() % (v6Starts.length / 4)) * 4;
    const words: [number, number, number, number] =
      i % 2 === 0
        ? [(0x20000000 | (next() >>> 3)) >>> 0, next(), next(), next()]
        : [v6Starts[at] ?? 0, v6Starts[at + 1] ?? 0, i % 4 === 1 ? next() : 0, next() >>> (i % 3 === 0 ? 16 : 0)];
    return formatAddress({ kind: "v6", words });
  });
}

/** That of the quickest batch: what else the machine does only adds to it. */
function nsPerLookup(ranges: CloudRanges, texts: readonly string[]): number {
  const samples: number[] = [];
  let found = 0;
  for (let batch = 0; batch < BATCHES; batch += 1) {
    const startedAt = process.cpuUsage();
    for (const text of texts) if (ranges.lookup(text) !== undefined) found += 1;
    const { user, system } = process.cpuUsage(startedAt);
    samples.push(((user + system) * 1000) / texts.length);
  }
  if (found === 0 || found === BATCHES * texts.length) throw new Error("the look-ups found nothing, or everything");
  return samples.toSorted((a, b) => a - b)[0] ?? Number.NaN;
}

if (import.meta.main) {
  const ranges = compiledCloudRanges();
  const next = random32();
  const families = [
    ["IPv4", v4Texts(ranges.table.prefixes, next)],
    ["IPv6", v6Texts(ranges.table.prefixes, next)],
  ] as const;
  for (const [family, texts] of families) console.log(`${family}: ${nsPerLookup(ranges, texts).toFixed(0)} ns`);
}
