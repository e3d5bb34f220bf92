import type { JobPlan, JobWorld } from "../../job/plan.ts";
import { type JobResult, JobRun } from "../../job/run.ts";
import type { DeletionRow } from "../../job/deletions.ts";
import type { CopyRow } from "../../copy/row.ts";
import type { SyncPlanInput } from "../../sync/plan-input.ts";
import { type MoreSums, showResult, showRow } from "../copy/rows-text.ts";
import type { CopySession } from "../copy/session.ts";
import type { View } from "../copy/view.ts";
import { exitStatus } from "../exit.ts";
import { jsonOfGap, sayGap } from "./plan-text.ts";
import { blobsAtOnceOf } from "./room.ts";

/** Which images have a line: every one, or only those for which something was done or went wrong. */
export type Shown = "changes" | "every";

/** Carries a plan out, prints what becomes of it, and gives the exit status: 1 when anything of it is not as the file says. */
export async function carryOut(
  { io, view }: Pick<CopySession, "io" | "view">,
  world: JobWorld,
  plan: JobPlan,
  { input, shown }: { readonly input: SyncPlanInput; readonly shown: Shown },
): Promise<number> {
  const startMs = io.clock.nowMs();
  const run = new JobRun(world, plan, {
    blobsAtOnce: blobsAtOnceOf(input),
    imagesAtOnce: input.parallel,
    onRow: (row) => {
      if (shown === "every" || view.isJson || isChange(row)) showRow(view, row);
    },
    onDeletion: (row) => showDeletion(view, row),
  });
  view.watch(() => run.progress);
  const result = await run.run();
  view.end();
  for (const gap of plan.gaps) {
    if (view.isJson) view.result(JSON.stringify({ kind: "gap", ...jsonOfGap(gap) }));
    else view.note(sayGap(gap));
  }
  const status = showResult(view, result, io.clock.nowMs() - startMs, sumsOf(plan, result));
  const isWhole = plan.gaps.every(({ state }) => state === "nothing");
  const isDeleted = result.deletions.every(({ state }) => state !== "failed");
  return isWhole && isDeleted ? status : exitStatus.failed;
}

function isChange({ status, incomplete }: CopyRow): boolean {
  return status !== "skipped" || incomplete.length > 0;
}

function showDeletion(view: View, { name, state, failure }: DeletionRow): void {
  if (view.isJson) {
    view.result(JSON.stringify({ kind: "deletion", target: name, status: state, failure }));
    return;
  }
  const lines = [`${state.padEnd(7)}  ${name}`, ...(failure === undefined ? [] : [`         ${failure.message}`])];
  view.result(lines.join("\n"));
}

function sumsOf({ gaps }: JobPlan, { backups, deletions }: JobResult): MoreSums {
  const unlisted = gaps.filter(({ state }) => state !== "nothing").length;
  const backedUp = backups.filter(({ status }) => status !== "failed").length;
  const deleted = deletions.filter(({ state }) => state === "deleted").length;
  const notDeleted = deletions.filter(({ state }) => state === "failed").length;
  const values = { backups: backedUp, deleted, notDeleted, gaps: unlisted };
  const said: readonly (readonly [number, string])[] = [
    [backedUp, "kept before"],
    [deleted, "deleted"],
    [notDeleted, "not deleted"],
    [unlisted, "not listed"],
  ];
  return { values, words: said.flatMap(([count, what]) => (count === 0 ? [] : [`${count} ${what}`])) };
}
