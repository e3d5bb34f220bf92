import { expect, test } from "bun:test";
import type { CopyProgress } from "../../copy/progress.ts";
import { createManualClock, type ManualClock } from "../../registry/testing/manual-clock.ts";
import { View } from "./view.ts";

interface Shown {
  readonly view: View;
  readonly clock: ManualClock;
  readonly out: string[];
  readonly err: string[];
}

function shown(mode: "json" | "text", columns?: number): Shown {
  const clock = createManualClock();
  const [out, err]: [string[], string[]] = [[], []];
  const io = {
    clock,
    columns,
    stdout: (text: string) => void out.push(text),
    stderr: (text: string) => void err.push(text),
  };
  return { view: new View(io, mode), clock, out, err };
}

const half: CopyProgress = {
  images: { done: 1, total: 3 },
  doneBytes: 50_000_000,
  totalBytes: 100_000_000,
  sentBytes: 20_000_000,
  active: [{ name: "a.example/x:v1", doneBytes: 10_000_000, totalBytes: 60_000_000 }],
};

test("on a terminal the lines are drawn again in their place, cut to its width, and taken away before anything else", () => {
  const { view, clock, out, err } = shown("text", 40);
  view.watch(() => half);
  clock.advance(200);
  expect(err).toEqual(["[1/3] 50.0 MB of 100 MB  100 MB/s  0s l\n  10.0 MB of 60.0 MB  a.example/x:v1\n"]);
  clock.advance(200);
  expect(err[1]).toBe("\u001B[2A\u001B[J");
  view.result("done");
  expect([err[3], out]).toEqual(["\u001B[2A\u001B[J", ["done\n"]]);
  view.end();
  clock.advance(10_000);
  expect([err.length, clock.pending()]).toEqual([4, 0]);
});

test("elsewhere it is a line now and then, with the rate and what is left", () => {
  const { view, clock, err } = shown("text");
  view.watch(() => half);
  clock.advance(9999);
  expect(err).toEqual([]);
  clock.advance(1);
  expect(err).toEqual(["[1/3] 50.0 MB of 100 MB  2.0 MB/s  25s left\n"]);
  view.end();
});

test("as JSON everything is a line of it", () => {
  const { view, clock, err, out } = shown("json", 80);
  view.watch(() => half);
  clock.advance(1000);
  view.note("waiting");
  view.result("{}");
  expect(err.map((line) => JSON.parse(line) as unknown)).toEqual([
    { kind: "progress", ...half, bytesPerS: 20_000_000 },
    { kind: "note", message: "waiting" },
  ]);
  expect(out).toEqual(["{}\n"]);
  view.end();
});
