import { describe, expect, test } from "bun:test";
import { Failure } from "../errors/failure.ts";
import { loadCloudRanges } from "./cloud-load.ts";
import type { CloudRanges } from "./cloud-ranges.ts";

const good = {
  aws: { createDate: "d", prefixes: { "us-east-1": ["3.80.0.0/12"], GLOBAL: ["3.0.0.0/9"] } },
  gcp: { creationTime: "d", prefixes: { "us-central1": ["34.16.0.0/17"] } },
  azure: { snapshot: "d", prefixes: { eastus: ["20.25.0.0/17"] } },
};

const awsWith = (prefixes: unknown): unknown => ({ ...good, aws: { createDate: "d", prefixes } });
const manyBlocks = Array.from({ length: 250_001 }, (_, n) => `3.${(n >> 16) & 127}.${(n >> 8) & 255}.${n & 255}`);

const cases: readonly (readonly [name: string, document: unknown, says: string])[] = [
  ["no object", [], "not a JSON object"],
  ["null", null, "not a JSON object"],
  ["a cloud left out", { aws: good.aws, gcp: good.gcp }, "azure.prefixes is missing"],
  ["a list in place of prefixes", awsWith(["3.80.0.0/12"]), "aws.prefixes is missing"],
  ["a cloud without blocks", awsWith({ "us-east-1": [] }), "aws.prefixes has no block"],
  ["a list without a date", { ...good, gcp: { prefixes: good.gcp.prefixes } }, "gcp.creationTime is missing"],
  ["a bad block", awsWith({ r: ["3.80.0.0/12", "3.80.0.1/12"] }), 'aws.prefixes.r[1]: "3.80.0.1/12" is no block'],
  ["a block that is no text", awsWith({ r: [7] }), "aws.prefixes.r[0]: a number is no block"],
  ["a block of half of IPv4", awsWith({ r: ["0.0.0.0/1"] }), 'aws.prefixes.r[0]: "0.0.0.0/1" is no block'],
  ["a block of all of IPv6", awsWith({ r: ["::/0"] }), 'aws.prefixes.r[0]: "::/0" is no block'],
  ["a region without a list", awsWith({ r: "3.80.0.0/12" }), "aws.prefixes.r is no list"],
  ["a region with an odd name", awsWith({ "a b": ["3.80.0.0/12"] }), 'aws.prefixes: "a b" is no region name'],
  [
    "two regions with one block",
    awsWith({ r: ["3.80.0.0/12"], s: ["3.80.0.0/12"] }),
    "3.80.0.0/12 is given to aws r and to aws s",
  ],
  [
    "two clouds with one block",
    awsWith({ r: ["34.16.0.0/17"] }),
    "34.16.0.0/17 is given to aws r and to gcp us-central1",
  ],
  ["more blocks than could be", awsWith({ r: manyBlocks }), "250003 blocks, more than 250000"],
  ["many problems", awsWith({ r: ["a", "b", "c", "d", "e", "f", "g"] }), "and 3 more"],
];

describe("loadCloudRanges refuses", () => {
  test.each(cases)("%s", (_, document, says) => {
    const failure = loadCloudRanges(JSON.stringify(document));
    expect(failure).toBeInstanceOf(Failure);
    expect(failure).toMatchObject({ code: "CONFIG_INVALID", message: expect.stringContaining(says) });
  });

  test.each([
    ["text that is no JSON", "{"],
    ["bytes that are no UTF-8", Uint8Array.of(0x22, 0xff, 0x22)],
  ])("%s", (_, json) => {
    expect(loadCloudRanges(json)).toMatchObject({
      code: "CONFIG_INVALID",
      message: expect.stringContaining("not a JSON object"),
    });
  });

  test("what is too large to be read", () => {
    expect(loadCloudRanges(new Uint8Array(32 * 1024 * 1024 + 1))).toMatchObject({
      message: expect.stringContaining("larger than"),
    });
  });
});

describe("loadCloudRanges beside ranges in force", () => {
  const listWith = (count: number): string =>
    JSON.stringify({
      ...good,
      gcp: { creationTime: "d", prefixes: { r: manyBlocks.slice(0, count).map((block) => block.replace(/^3/, "34")) } },
    });
  const inForce = loaded(listWith(10));

  test.each([
    [6, "gcp has 6 blocks, less than 70 % of the 10 in force"],
    [1, "gcp has 1 blocks, less than 70 % of the 10 in force"],
  ])("refuses a cloud cut to %d of 10 blocks", (count, says) => {
    expect(loadCloudRanges(listWith(count), inForce)).toMatchObject({
      code: "CONFIG_INVALID",
      message: expect.stringContaining(says),
    });
    expect(inForce.lookup("34.0.0.9")).toEqual({ cloud: "gcp", region: "r" });
  });

  test.each([7, 10, 100])("takes %d blocks for 10", (count) => {
    expect(loaded(listWith(count), inForce).table.prefixCounts.gcp).toBe(count);
  });

  function loaded(json: string, before?: CloudRanges): CloudRanges {
    const result = loadCloudRanges(json, before);
    if (result instanceof Failure) throw result;
    return result;
  }
});

test("loadCloudRanges takes text and its bytes alike", () => {
  const json = JSON.stringify(good);
  const [text, bytes] = [loadCloudRanges(json), loadCloudRanges(new TextEncoder().encode(json))];
  expect(text).not.toBeInstanceOf(Failure);
  expect((bytes as CloudRanges).table).toEqual((text as CloudRanges).table);
});

test("loadCloudRanges takes a block twice in one region", () => {
  expect(loadCloudRanges(JSON.stringify(awsWith({ r: ["3.80.0.0/12", "3.80.0.0/12"] })))).not.toBeInstanceOf(Failure);
});
