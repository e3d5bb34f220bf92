import { expect, test } from "bun:test";
import { Pace } from "./pace.ts";

/** Sends pieces of 64 kB over 40 MB/s by one sender whose timer rings `lateMs` late; the bytes per second it came to. */
function rateOfOne(lateMs: number): number {
  let nowMs = 1000;
  const pace = new Pace(40e6, () => nowMs);
  for (let i = 0; i < 1000; i += 1) {
    const waitMs = pace.book(64e3);
    if (waitMs > 0) nowMs += waitMs + lateMs;
  }
  return (1000 * 64e3 * 1000) / (nowMs - 1000);
}

test.each([0, 1, 5, 10])("one sender gets the whole link though its timer is %d ms late", (lateMs) => {
  const rate = rateOfOne(lateMs);
  expect(rate).toBeGreaterThan(39e6);
  expect(rate).toBeLessThan(41e6);
});

test("many senders wait in turn", () => {
  const pace = new Pace(40e6, () => 1000);
  const waitsMs = Array.from({ length: 20 }, () => pace.book(400e3));
  expect(waitsMs.slice(0, 4)).toEqual([0, 0, 0, 10]);
  expect(waitsMs.at(-1)).toBe(170);
});

test("a link without a limit makes no one wait", () => {
  const pace = new Pace(Number.POSITIVE_INFINITY, () => 1000);
  expect([pace.book(1e12), pace.book(1e12), pace.limited]).toEqual([0, 0, false]);
});
