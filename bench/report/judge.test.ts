import { expect, test } from "bun:test";
import type { RowResult, Target } from "../row.ts";
import { judge } from "./judge.ts";

function result(target: Target): RowResult {
  const row = { id: "x", title: "x", metrics: [], targets: [target] };
  const measured = (name: string, figure: number) =>
    ({ kind: "measured", name, role: "peer", sample: { figure }, rounds: 1 }) as const;
  const gone = { kind: "missing", name: "gone", role: "peer", reason: "not here" } as const;
  return { row, standings: [measured("ours", 30), measured("peer", 20), gone] };
}

test.each([
  ["ratio", { kind: "atLeast", value: 1.5 }, "reached", 1.5],
  ["ratio", { kind: "atLeast", value: 1.6 }, "short", 1.5],
  ["ratio", { kind: "atMost", value: 1.4 }, "short", 1.5],
  ["difference", { kind: "atMost", value: 10 }, "reached", 10],
  ["difference", { kind: "atMost", value: 9 }, "short", 10],
] as const)("a %s, %j, is %s", (kind, bound, outcome, figure) => {
  const verdicts = judge(result({ kind, metric: "figure", of: "ours", over: "peer", bound }));
  expect(verdicts).toMatchObject([{ kind: outcome, figure }]);
});

test("a value is held against its bound alone", () => {
  const bound = { kind: "atMost", value: 29 } as const;
  const verdicts = judge(result({ kind: "value", metric: "figure", of: "ours", bound }));
  expect(verdicts).toMatchObject([{ kind: "short", figure: 30 }]);
});

test.each(["gone", "unheard of"])("a target over one that is %s stays open", (over) => {
  const bound = { kind: "atLeast", value: 1 } as const;
  const verdicts = judge(result({ kind: "ratio", metric: "figure", of: "ours", over, bound }));
  expect(verdicts).toMatchObject([{ kind: "open", reason: `${over} was not measured` }]);
});
