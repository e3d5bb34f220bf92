import { expect, test } from "bun:test";
import type { CloudLocation } from "./cloud-ranges.ts";
import { compiledCloudRanges, decodeSnapshot, encodeSnapshot } from "./cloud-snapshot.ts";
import compiledIn from "./data/cloud-ranges.json" with { type: "json" };

const compiled = compiledCloudRanges();

test("the compiled ranges say what they were made from", () => {
  expect(compiledIn.source).toContain("published lists");
  for (const published of Object.values(compiled.table.published)) expect(published).toMatch(/^20\d\d-\d\d/);
  expect(compiled.table.prefixCounts.aws).toBeGreaterThan(5_000);
  expect(compiled.table.prefixCounts.gcp).toBeGreaterThan(500);
  expect(compiled.table.prefixCounts.azure).toBeGreaterThan(5_000);
});

const known: readonly (readonly [text: string, location: CloudLocation | undefined])[] = [
  ["3.5.140.2", { cloud: "aws", region: "ap-northeast-2" }],
  ["52.94.76.1", { cloud: "aws", region: "us-west-2" }],
  ["13.248.128.9", { cloud: "aws", region: undefined }],
  ["34.80.0.1", { cloud: "gcp", region: "asia-east1" }],
  ["2600:1900:4000::1", { cloud: "gcp", region: "us-central1" }],
  ["8.8.8.8", undefined],
  ["10.0.0.1", undefined],
  ["127.0.0.1", undefined],
  ["192.168.1.1", undefined],
  ["::1", undefined],
  ["fd00::1", undefined],
];

test.each(known)("the compiled ranges know %s", (text, location) => {
  expect(compiled.lookup(text)).toEqual(location as never);
});

test("every location of the compiled ranges has addresses, and every label a location", () => {
  const { v4Labels, v6Labels } = compiled.table.prefixes;
  const used = new Set([...v4Labels, ...v6Labels]);
  expect(used.size).toBe(compiled.table.locations.length + 1);
  expect(Math.max(...used)).toBe(compiled.table.locations.length);
});

test("a snapshot decodes to the table it was made of", () => {
  const snapshot = encodeSnapshot(compiled.table, "elsewhere");
  expect(snapshot.source).toBe("elsewhere");
  expect(decodeSnapshot(JSON.parse(JSON.stringify(snapshot)))).toEqual(compiled.table);
});
