import type { CopyPair } from "../copy/pair.ts";
import { planOf, type Plan, type PlanRow } from "../copy/plan.ts";
import { planCopies } from "../copy/planner.ts";
import type { CopyRow } from "../copy/row.ts";
import { CopyRun } from "../copy/run.ts";
import type { CopyFailure } from "../copy/failure.ts";
import { formatReference, type Reference } from "../reference/reference.ts";
import { backupOf } from "../sync/template.ts";
import { type JobImage, jobOptions, type JobPlan, type JobWorld } from "./plan.ts";

/** A plan whose overwritten tags are kept, and what became of the backups. */
export interface BackedUp {
  readonly plan: Plan;
  readonly backups: readonly CopyRow[];
}

/**
 * Copies what tags stand for that are about to be overwritten to where their entries want it kept. A tag whose backup failed is not
 * overwritten; neither is one of which it is not known what it stands for.
 */
export async function backUp(world: JobWorld, { images }: JobPlan, blobsAtOnce: number): Promise<BackedUp> {
  const settled = new Map<PlanRow, PlanRow>();
  const pending: Backup[] = [];
  for (const image of images) {
    const { copy, row } = image;
    if (copy.entry.backup === undefined) continue;
    if (row.state === "unknown") settled.set(row, { ...row, choice: undefined });
    if (row.state !== "differs") continue;
    const kept = backupOf(copy.entry.backup, copy.target, world.epochMs());
    if ("reason" in kept) settled.set(row, refused(row, `its backup has no name: ${kept.reason}`));
    else pending.push({ image, kept });
  }
  const backups: CopyRow[] = [];
  for (const round of roundsOf(pending)) {
    const rows = await runRound(world, round, blobsAtOnce);
    for (const [at, { image, kept }] of round.entries()) settled.set(image.row, afterBackup(image.row, kept, rows[at]));
    backups.push(...rows);
  }
  return { plan: planOf(images.map(({ row }) => settled.get(row) ?? row)), backups };
}

interface Backup {
  readonly image: JobImage;
  readonly kept: Reference;
}

/** Backups of several tags that go to one name come one after the other. */
function roundsOf(pending: readonly Backup[]): readonly (readonly Backup[])[] {
  const rounds: Backup[][] = [];
  for (const group of Map.groupBy(pending, ({ kept }) => formatReference(kept)).values()) {
    for (const [at, backup] of group.entries()) (rounds[at] ??= []).push(backup);
  }
  return rounds;
}

async function runRound(
  { parts, ends }: JobWorld,
  round: readonly Backup[],
  blobsAtOnce: number,
): Promise<readonly CopyRow[]> {
  const pairs = round.map(async ({ image, kept }): Promise<CopyPair> => {
    const { pair, targetDigest } = image.row;
    const source = await ends.of(image.copy.target.host, image.copy.target.repository);
    const target = await ends.of(kept.host, kept.repository);
    const isElsewhere = target !== source && image.copy.entry.referrers;
    return {
      source,
      sourceReference: targetDigest ?? pair.sourceReference,
      target,
      targetTag: kept.tag,
      options: { referrers: isElsewhere ? "copied" : "none" },
    };
  });
  const planning = { options: jobOptions, estimate: "none" } as const;
  const plan = await planCopies(parts, await Promise.all(pairs), planning);
  const run = new CopyRun(parts, plan, { options: jobOptions, blobsAtOnce });
  return (await run.run()).rows;
}

function afterBackup(row: PlanRow, kept: Reference, backup: CopyRow | undefined): PlanRow {
  const name = formatReference(kept);
  if (backup !== undefined && backup.status !== "failed") {
    return { ...row, notes: [...row.notes, `what it stood for is kept as ${name}`] };
  }
  const why = backup?.failures[0]?.message ?? "it was not made";
  return refused(row, `its backup ${name} failed, so it is left as it is: ${why}`);
}

function refused(row: PlanRow, message: string): PlanRow {
  const failure: CopyFailure = { kind: "failed", side: "target", message: `${row.target}: ${message}` };
  return { ...row, state: "refused", failure };
}
