import { expect, test } from "bun:test";
import { FillReaders } from "./fill-readers.ts";

const mib = 1024 * 1024;

test.each([
  ["nobody", [], false],
  ["one that keeps up", [20 * mib - 1], false],
  ["one that is ahead and waits", [21 * mib], false],
  ["one that falls back", [19 * mib], true],
  ["one that was left behind", [11 * mib], false],
  ["one that keeps up, and one that falls back", [20 * mib, 19 * mib], false],
  ["one that falls back, and one that was left behind", [19 * mib, 0], true],
] as const)("a download waits a moment for readers: %s", (_, offsets, isLeaving) => {
  const readers = new FillReaders();
  for (const offset of offsets) readers.enter({}, offset);
  expect(readers.isLeaving(20 * mib)).toBe(isLeaving);
});

test("a reader counts where it has moved to, and not once it has left", () => {
  const readers = new FillReaders();
  const key = {};
  readers.enter(key, 0);
  readers.moved(key, 19 * mib);
  expect([readers.size, readers.fastest, readers.isLeaving(20 * mib)]).toEqual([1, 19 * mib, true]);
  readers.leave(key);
  readers.moved(key, 20 * mib);
  expect([readers.size, readers.fastest, readers.isLeaving(20 * mib)]).toEqual([0, -1, false]);
});

test.each([
  [1, 256],
  [32, 256],
  [64, 128],
  [1000, 16],
])("with %d readers one read gives %d KiB", (count, kib) => {
  const readers = new FillReaders();
  for (let i = 0; i < count; i++) readers.enter({}, 0);
  expect(readers.readBytes).toBe(kib * 1024);
});
