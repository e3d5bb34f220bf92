import { expect, test } from "bun:test";
import fc from "fast-check";
import { formatDuration, parseDuration } from "./duration.ts";

test.each([
  ["500ms", 500],
  ["30s", 30_000],
  ["5m", 300_000],
  ["24h", 86_400_000],
  ["7d", 604_800_000],
  ["0s", 0],
  ["007s", 7000],
  ["36525d", 3_155_760_000_000],
  ["36526d", undefined],
  ["9999999999999999d", undefined],
  ["", undefined],
  ["30", undefined],
  ["s", undefined],
  ["-1s", undefined],
  ["1.5h", undefined],
  ["1h30m", undefined],
  [" 30s", undefined],
  ["30 s", undefined],
  ["30s\n", undefined],
  ["30S", undefined],
  ["30w", undefined],
  ["1e3s", undefined],
  ["٣s", undefined],
])("%p is %p ms", (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test("a formatted duration reads back as itself", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 36_525 * 86_400_000 }), (ms) => parseDuration(formatDuration(ms)) === ms),
  );
});

test("every count and unit is their product, or refused when it is over the limit", () => {
  const units = fc.constantFrom(
    ["ms", 1] as const,
    ["s", 1000] as const,
    ["m", 60_000] as const,
    ["h", 3_600_000] as const,
    ["d", 86_400_000] as const,
  );
  fc.assert(
    fc.property(fc.maxSafeNat(), units, (count, [unit, unitMs]) => {
      const ms = count * unitMs;
      expect(parseDuration(`${count}${unit}`)).toBe(ms <= 3_155_760_000_000 ? ms : undefined);
    }),
  );
});

test("a long text is refused by its length", () => {
  expect(parseDuration(`${"0".repeat(100_000)}1s`)).toBeUndefined();
});

test("no text makes it throw, and what it accepts is a whole number", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const ms = parseDuration(text);
      expect(ms === undefined || Number.isSafeInteger(ms)).toBe(true);
    }),
  );
});

test.each([
  [0, "0s"],
  [1500, "1500ms"],
  [90_000, "90s"],
  [3_600_000, "1h"],
  [604_800_000, "7d"],
])("%p ms is written %p", (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});
