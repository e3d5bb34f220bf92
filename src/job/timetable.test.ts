import { expect, test } from "bun:test";
import { inputOf } from "../sync/testing/world.ts";
import type { SyncEntry } from "../sync/plan-input.ts";
import { Timetable } from "./timetable.ts";

const text = `
schedule: 10s
sync:
  - { from: a.io/x, to: r.io/x }
  - { from: a.io/y, to: r.io/y, schedule: 25s }
  - { from: a.io/z, to: r.io/z, schedule: "0 0 1 1 *" }
`;
const namesOf = (entries: readonly SyncEntry[]): string => entries.map(({ target }) => target.path).join(" ");

test("each line by its own schedule, all at once at first; what passed meanwhile is made up for once", async () => {
  const { entries } = await inputOf({ text });
  const table = new Timetable(entries, 0);
  const run = (beganAtMs: number): string => {
    const due = table.due(beganAtMs);
    table.ran(due, beganAtMs);
    return `${namesOf(due)} then ${table.nextAtMs()}`;
  };
  expect(run(0)).toBe("x y z then 10000");
  expect(run(9999)).toBe(" then 10000");
  expect(run(10_000)).toBe("x then 20000");
  expect(run(58_000)).toBe("x y then 68000");
  expect(run(68_000)).toBe("x then 78000");
});

test("who has no schedule runs once", async () => {
  const { entries } = await inputOf({ text: "sync: [{ from: a.io/x, to: r.io/x }]" });
  const table = new Timetable(entries, 5);
  expect(table.due(4)).toEqual([]);
  expect(table.due(5)).toEqual(entries);
  table.ran(entries, 5);
  expect([table.nextAtMs(), table.due(1e15)]).toEqual([undefined, []]);
});
