import { expect, test } from "bun:test";
import { parseSample, sampleOf } from "./sample.ts";

test.each([
  ["all", { kind: "all" }],
  ["0", { kind: "count", count: 0 }],
  ["250", { kind: "count", count: 250 }],
  ["5%", { kind: "percent", percent: 5 }],
  ["0.5%", { kind: "percent", percent: 0.5 }],
  ["101%", undefined],
  ["1.5", undefined],
  ["-1", undefined],
  ["registry.k8s.io/pause", undefined],
])("%p is %j", (text, sample) => {
  expect(parseSample(text)).toEqual(sample as ReturnType<typeof parseSample>);
});

const list = Array.from({ length: 200 }, (_, at) => at);

test.each([
  ["all", 200],
  ["0", 0],
  ["7", 7],
  ["1000", 200],
  ["5%", 10],
  ["0.1%", 1],
])("%s of 200 are %i, none twice", (text, size) => {
  const sample = sampleOf(list, parseSample(text) ?? { kind: "all" }, Math.random);
  expect([sample.length, new Set(sample).size]).toEqual([size, size]);
});

test("chance decides, and each is as likely as every other", () => {
  const counts = new Map<number, number>();
  for (let round = 0; round < 4000; round++) {
    for (const one of sampleOf([0, 1, 2, 3], { kind: "count", count: 2 }, Math.random)) {
      counts.set(one, (counts.get(one) ?? 0) + 1);
    }
  }
  for (const count of counts.values()) expect(Math.abs(count - 2000)).toBeLessThan(300);
  expect(sampleOf(list, { kind: "count", count: 3 }, () => 0)).toEqual([0, 1, 2]);
});
