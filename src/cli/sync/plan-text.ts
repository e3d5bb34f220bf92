import { formatProblem } from "../../config/problem.ts";
import type { Gap } from "../../job/expand.ts";
import type { JobPlan } from "../../job/plan.ts";
import { showCount } from "../cache/quantities.ts";
import { jsonOf, planTable, remarksOf, statusOfPlan, sumOf } from "../copy/plan-text.ts";
import type { View } from "../copy/view.ts";
import { exitStatus } from "../exit.ts";

const words: Readonly<Record<Gap["state"], string>> = { absent: "no source", nothing: "nothing", unknown: "unknown" };

/** Prints the plan of a job: images, what is not known of entries, what would be deleted, and the sums. */
export function showJobPlan(view: View, { plan, gaps, deletions }: JobPlan): void {
  if (view.isJson) {
    for (const row of plan.rows) view.result(JSON.stringify({ kind: "result", ...jsonOf(row) }));
    for (const gap of gaps) view.result(JSON.stringify({ kind: "gap", ...jsonOfGap(gap) }));
    for (const { name } of deletions) view.result(JSON.stringify({ kind: "deletion", target: name }));
    const sums = { ...plan.counts, gaps: gaps.length, deletions: deletions.length, estimate: plan.estimate };
    view.result(JSON.stringify({ kind: "summary", ...sums }));
    return;
  }
  const more = [
    ...gaps.map(({ state, source }) => [words[state], "", "", source, ""]),
    ...deletions.map(({ name }) => ["delete", "", "", "", name]),
  ];
  view.result(planTable(plan, more));
  for (const row of plan.rows) for (const line of remarksOf(row)) view.note(`${row.target}: ${line}`);
  for (const gap of gaps) view.note(sayGap(gap));
  view.note([sumOf(plan), ...sumsOf(gaps, deletions.length)].join("; "));
}

/** Prints why nothing may be written. */
export function showProblems(view: View, { problems }: Pick<JobPlan, "problems">): void {
  for (const problem of problems) view.note(formatProblem(problem));
}

/** What is not known of an entry, with its place in the file. */
export function sayGap({ entry, source, message }: Gap): string {
  return formatProblem({ ...entry.at, message: message.includes(source) ? message : `${source}: ${message}` });
}

/** What is not known of an entry, for programs. */
export function jsonOfGap({ entry, source, state, message }: Gap): object {
  const { file, line, path } = entry.at;
  return { source, state, message, entry: { file, line, path } };
}

/** The exit status of a job's plan as a gate. */
export function statusOfJob({ plan, gaps, deletions, problems }: JobPlan): number {
  if (problems.length > 0) return exitStatus.failed;
  const has = (state: Gap["state"]): boolean => gaps.some((gap) => gap.state === state);
  const { counts } = plan;
  const extra = { absent: has("absent") ? 1 : 0, unknown: has("unknown") ? 1 : 0, differs: deletions.length };
  return statusOfPlan({
    counts: {
      ...counts,
      absent: counts.absent + extra.absent,
      unknown: counts.unknown + extra.unknown,
      differs: counts.differs + extra.differs,
    },
  });
}

function sumsOf(gaps: readonly Gap[], deletions: number): readonly string[] {
  const unlisted = gaps.filter(({ state }) => state !== "nothing").length;
  return [
    ...(unlisted === 0 ? [] : [`${showCount(unlisted, "list")} missing`]),
    ...(deletions === 0 ? [] : [`${deletions} to delete`]),
  ];
}
