import type { Plan, PlanRow, PlanState } from "../../copy/plan.ts";
import { showCount, showDigest, showSize } from "../cache/quantities.ts";
import { exitStatus } from "../exit.ts";
import { table } from "./table.ts";
import type { View } from "./view.ts";

const words: Readonly<Record<PlanState, string>> = {
  absent: "no source",
  copy: "copy",
  differs: "differs",
  present: "there",
  refused: "refused",
  unknown: "unknown",
};

/** Prints a plan: a row an image and the sums; or the same as JSON lines. */
export function showPlan(view: View, plan: Plan): void {
  if (view.isJson) {
    for (const row of plan.rows) view.result(JSON.stringify({ kind: "result", ...jsonOf(row) }));
    view.result(JSON.stringify({ kind: "summary", ...plan.counts, estimate: plan.estimate }));
    return;
  }
  view.result(planTable(plan, []));
  for (const row of plan.rows) for (const line of remarksOf(row)) view.note(`${row.target}: ${line}`);
  view.note(sumOf(plan));
}

/** A plan as a table, with what is not an image of it below: cells under the same heads. */
export function planTable(plan: Plan, more: readonly (readonly string[])[]): string {
  const isSized = plan.rows.some(({ estimate }) => estimate !== undefined);
  const all = [["STATE", "DIGEST", "SIZE", "SOURCE", "TARGET"], ...plan.rows.map(cellsOf), ...more];
  return table(isSized ? all : all.map((cells) => cells.filter((_, at) => at !== 2)));
}

/** The exit status of a plan as a gate. */
export function statusOfPlan({ counts }: Pick<Plan, "counts">): number {
  if (counts.refused > 0) return exitStatus.failed;
  if (counts.unknown > 0) return exitStatus.incomplete;
  if (counts.absent > 0) return exitStatus.replacement;
  return counts.copy + counts.differs > 0 ? exitStatus.findings : exitStatus.clean;
}

function cellsOf({ state, choice, source, target, estimate }: PlanRow): readonly string[] {
  const digest = choice?.named === undefined ? "" : showDigest(choice.named);
  return [words[state], digest, estimate === undefined ? "" : showSize(estimate.sizeBytes), source, target];
}

/** What is to be said of a row, a line each. */
export function remarksOf({ state, choice, targetDigest, failure, notes }: PlanRow): readonly string[] {
  const differs = `stands for ${targetDigest}; copying makes it ${choice?.named}`;
  return [...(state === "differs" ? [differs] : []), ...(failure === undefined ? [] : [failure.message]), ...notes];
}

/** The sums of a plan in one line. */
export function sumOf({ rows, counts, estimate }: Plan): string {
  const { copy, differs, present, absent, refused, unknown } = counts;
  const parts = [
    `${present} there`,
    `${copy} to copy`,
    `${differs} different`,
    `${absent} without a source`,
    `${refused} refused`,
    `${unknown} unknown`,
  ].filter((part) => !part.startsWith("0 ") || part === "0 to copy");
  const much = `at most ${showSize(estimate.sizeBytes)} in about ${showCount(estimate.requests, "request")}`;
  return `${showCount(rows.length, "image")}: ${parts.join(", ")}${estimate.requests === 0 ? "" : `; ${much}`}`;
}

/** A row as programs read it. */
export function jsonOf(row: PlanRow): object {
  const { source, target, state, choice, targetDigest, failure, notes, estimate } = row;
  return { source, target, state, digest: choice?.named, targetDigest, failure, notes, estimate };
}
