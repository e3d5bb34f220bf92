import type { Bound, RowResult, Standing, Target } from "../row.ts";

/** Whether a target is reached: `figure` is the ratio, value or distance that it speaks of. */
export type Verdict =
  | { readonly kind: "reached" | "short"; readonly target: Target; readonly figure: number }
  | { readonly kind: "open"; readonly target: Target; readonly reason: string };

/** Holds every target of a row against the medians; one whose contender was not measured stays open. */
export function judge(result: RowResult): readonly Verdict[] {
  return result.row.targets.map((target) => {
    const absent = namesIn(target).find((name) => valueOf(result, name, target.metric) === undefined);
    if (absent !== undefined) return { kind: "open", target, reason: `${absent} was not measured` };
    const figure = figureOf(result, target);
    return { kind: holds(target.bound, figure) ? "reached" : "short", target, figure };
  });
}

/** The names of the contenders that a target speaks of. */
function namesIn(target: Target): readonly string[] {
  return target.kind === "value" ? [target.of] : [target.of, target.over];
}

function figureOf(result: RowResult, target: Target): number {
  const of = valueOf(result, target.of, target.metric) ?? Number.NaN;
  switch (target.kind) {
    case "value":
      return of;
    case "ratio":
      return of / (valueOf(result, target.over, target.metric) ?? Number.NaN);
    case "difference":
      return of - (valueOf(result, target.over, target.metric) ?? Number.NaN);
  }
}

function holds(bound: Bound, figure: number): boolean {
  return bound.kind === "atLeast" ? figure >= bound.value : figure <= bound.value;
}

function valueOf(result: RowResult, name: string, metric: string): number | undefined {
  const standing = result.standings.find((candidate): candidate is Extract<Standing, { kind: "measured" }> => {
    return candidate.kind === "measured" && candidate.name === name;
  });
  return standing?.sample[metric];
}
