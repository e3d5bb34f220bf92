import { expect, test } from "bun:test";
import { PresenceTable } from "./presence-table.ts";

const url = (n: number): string => `https://bucket.example/images/${n}`;
const until = (untilMs: number): { readonly nowMs: number; readonly untilMs: number } => ({ nowMs: 0, untilMs });

test("it knows until the time given, and the last word counts", () => {
  const table = new PresenceTable(80);
  expect(table.get(url(1), 0)).toBeUndefined();
  table.set(url(1), "absent", until(100));
  table.set(url(2), "unknown", until(50));
  expect([table.get(url(1), 99), table.get(url(2), 49)]).toEqual(["absent", "unknown"]);
  expect([table.get(url(1), 100), table.get(url(2), 50)]).toEqual([undefined, undefined]);
  table.set(url(1), "held", until(200));
  expect(table.get(url(1), 150)).toBe("held");
  expect(table.get(`${url(1)}0`, 150)).toBeUndefined();
});

test("of eight slots what is not held goes first, the oldest of it first", () => {
  const table = new PresenceTable(8);
  for (let n = 0; n < 4; n++) table.set(url(n), "held", until(1000 + n));
  for (let n = 4; n < 8; n++) table.set(url(n), n === 6 ? "unknown" : "absent", until(5000 - n));
  const left = (): readonly number[] => Array.from({ length: 20 }, (_, n) => n).filter((n) => table.get(url(n), 10));
  expect(left()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  table.set(url(8), "absent", until(6000));
  expect(left()).toEqual([0, 1, 2, 3, 4, 5, 6, 8]);
  for (let n = 9; n < 12; n++) table.set(url(n), "held", until(2000 + n));
  expect(left()).toEqual([0, 1, 2, 3, 8, 9, 10, 11]);
  for (let n = 12; n < 14; n++) table.set(url(n), "held", until(3000 + n));
  expect(left()).toEqual([1, 2, 3, 9, 10, 11, 12, 13]);
});

test("what has expired goes before anything", () => {
  const table = new PresenceTable(8);
  for (let n = 0; n < 8; n++) table.set(url(n), n === 3 ? "held" : "absent", until(n === 3 ? 10 : 1000));
  table.set(url(9), "absent", { nowMs: 10, untilMs: 1000 });
  expect([0, 1, 2, 4, 5, 6, 7, 9].every((n) => table.get(url(n), 10) === "absent")).toBeTrue();
});

test("as many URLs as there are in the world take the memory of a few, and leave what is held", () => {
  const table = new PresenceTable(4000);
  for (let n = 0; n < 400; n++) table.set(url(n), "held", until(1e9));
  for (let n = 0; n < 40_000; n++) table.set(`https://nowhere.example/${n}`, "absent", until(2e9));
  const held = Array.from({ length: 400 }, (_, n) => table.get(url(n), 1)).filter((presence) => presence === "held");
  expect(held).toHaveLength(400);
});
