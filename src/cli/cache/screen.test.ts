import { expect, test } from "bun:test";
import { Screen } from "./screen.ts";

interface Drawn {
  readonly screen: Screen;
  readonly written: string[];
  readonly pass: (ms: number) => void;
}

function draw(columns: number | undefined): Drawn {
  const written: string[] = [];
  let nowMs = 0;
  const screen = new Screen({
    columns,
    nowMs: () => nowMs,
    stdout: (text) => written.push(`out ${text}`),
    stderr: (text) => written.push(`err ${text}`),
  });
  return { screen, written, pass: (ms) => void (nowMs += ms) };
}

const progress = { kind: "progress", at: "quay.io/team/app:v1", done: 2, total: 7, bytes: 12_300_000 } as const;

test("on a terminal progress is drawn over itself, cut to the width, and gives way to results", () => {
  const { screen, written } = draw(20);
  screen.progress(progress);
  screen.progress({ ...progress, total: undefined });
  screen.result("a row");
  screen.note("a note");
  expect(written).toEqual([
    "err \r[2/7] 12.3 MB  quay\u001B[K",
    "err \r[2] 12.3 MB  quay.i\u001B[K",
    "err \r\u001B[K",
    "out a row\n",
    "err a note\n",
  ]);
});

test("elsewhere progress is a plain line now and then", () => {
  const { screen, written, pass } = draw(undefined);
  screen.progress(progress);
  pass(9999);
  screen.progress(progress);
  expect(written).toEqual([]);
  pass(1);
  screen.progress(progress);
  screen.progress(progress);
  screen.result("a row");
  expect(written).toEqual(["err [2/7] 12.3 MB  quay.io/team/app:v1\n", "out a row\n"]);
});
