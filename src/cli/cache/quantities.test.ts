import { expect, test } from "bun:test";
import fc from "fast-check";
import { showCount, showDigest, showSize, showSpan, showTime } from "./quantities.ts";

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1.0 kB"],
  [99_949, "99.9 kB"],
  [99_950, "100 kB"],
  [999_499, "999 kB"],
  [999_500, "1.0 MB"],
  [43_035_526, "43.0 MB"],
  [2e15, "2.0 PB"],
  [5e18, "5000 PB"],
])("%p bytes are %p", (sizeBytes, text) => {
  expect(showSize(sizeBytes)).toBe(text);
});

test("sizes are short, and never off by more than a twentieth", () => {
  const factors: Readonly<Record<string, number>> = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12, PB: 1e15 };
  fc.assert(
    fc.property(fc.nat({ max: 2 ** 50 }), (sizeBytes) => {
      const text = showSize(sizeBytes);
      const [value = "", unit = ""] = text.split(" ");
      expect(text.length).toBeLessThanOrEqual(7);
      expect(Math.abs(Number(value) * (factors[unit] ?? 0) - sizeBytes)).toBeLessThanOrEqual(sizeBytes / 20);
    }),
  );
});

test.each([
  [-5, "0s"],
  [999, "0s"],
  [59_999, "59s"],
  [60_000, "1m"],
  [3_600_000 * 23, "23h"],
  [86_400_000 * 400, "400d"],
])("%p ms are %p", (spanMs, text) => {
  expect(showSpan(spanMs)).toBe(text);
});

test("times, digests and counts", () => {
  expect(showTime(1_800_000_000_999)).toBe("2027-01-15T08:00:00Z");
  expect(showDigest(`sha256:${"ab".repeat(32)}`)).toBe("sha256:abababababab");
  expect([showCount(0, "tag"), showCount(1, "tag"), showCount(2, "tag")]).toEqual(["0 tags", "1 tag", "2 tags"]);
});
