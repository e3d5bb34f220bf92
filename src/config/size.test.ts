import { expect, test } from "bun:test";
import fc from "fast-check";
import { formatSize, parseSize } from "./size.ts";

test.each([
  ["200GB", 200e9],
  ["10GiB", 10 * 2 ** 30],
  ["512MiB", 512 * 2 ** 20],
  ["1B", 1],
  ["3kB", 3000],
  ["3KiB", 3072],
  ["2TB", 2e12],
  ["2TiB", 2 ** 41],
  ["9PB", 9e15],
  ["7PiB", 7 * 2 ** 50],
  ["8PiB", undefined],
  ["9007199254740991B", Number.MAX_SAFE_INTEGER],
  ["9007199254740992B", undefined],
  ["", undefined],
  ["200", undefined],
  ["GB", undefined],
  ["1.5GB", undefined],
  ["-1GB", undefined],
  ["200 GB", undefined],
  ["200gb", undefined],
  ["200G", undefined],
  ["200Gi", undefined],
  ["0x10B", undefined],
])("%p is %p bytes", (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});

test("a formatted size reads back as itself", () => {
  fc.assert(fc.property(fc.maxSafeNat(), (bytes) => parseSize(formatSize(bytes)) === bytes));
});

test("a long text is refused by its length", () => {
  expect(parseSize(`${"0".repeat(100_000)}1GB`)).toBeUndefined();
});

test("no text makes it throw, and what it accepts is a whole number", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const bytes = parseSize(text);
      expect(bytes === undefined || Number.isSafeInteger(bytes)).toBe(true);
    }),
  );
});

test.each([
  [0, "0B"],
  [1, "1B"],
  [1024, "1KiB"],
  [200e9, "200GB"],
  [10 * 2 ** 30, "10GiB"],
])("%p bytes are written %p", (bytes, text) => {
  expect(formatSize(bytes)).toBe(text);
});
