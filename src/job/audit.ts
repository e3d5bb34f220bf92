import { compareReferrers, type ReferrersState } from "../copy/compare-referrers.ts";
import { thrownFailure } from "../copy/failure.ts";
import { RegistryGates } from "../copy/gates.ts";
import type { PlanRow, PlanState } from "../copy/plan.ts";
import type { Problem } from "../config/problem.ts";
import type { SyncEntry } from "../sync/plan-input.ts";
import type { Gap } from "./expand.ts";
import { planJob, type JobWorld } from "./plan.ts";

/**
 * How an image stands at one target. `extra`: a tag there that no source has. `signatures`: the image is the same, and not all that
 * refers to it is there, or a tag of it stands for something else.
 */
export type AuditState =
  | "differs"
  | "extra"
  | "missing"
  | "no-source"
  | "refused"
  | "same"
  | "signatures-differ"
  | "signatures-missing"
  | "unknown";

/** One image at one target. */
export interface AuditRow {
  readonly state: AuditState;
  /** Absent for what is extra. */
  readonly source: string | undefined;
  readonly target: string;
  readonly digest: string | undefined;
  readonly targetDigest: string | undefined;
  /** What refers to the image at its source, as far as it was compared. */
  readonly referrers: number | undefined;
  readonly message: string | undefined;
}

/** What an audit found; nothing has been written. */
export interface Audit {
  readonly rows: readonly AuditRow[];
  readonly gaps: readonly Gap[];
  readonly problems: readonly Problem[];
}

/** From each registry. */
const comparedAtOnce = 4;

/** Compares every image of the entries, and what refers to it, at all its targets; by digest, and whatever the entries copy. */
export async function audit(world: JobWorld, entries: readonly SyncEntry[]): Promise<Audit> {
  const audited = entries.map((entry) => ({ ...entry, delete: entry.images.kind === "tags" }));
  const planning = { entries: audited, allEntries: audited, estimate: "none", referrers: "none" } as const;
  const { images, gaps, deletions, problems } = await planJob(world, planning);
  const gates = new RegistryGates(comparedAtOnce);
  const rows = images.map(async ({ row }): Promise<AuditRow> => {
    if (row.state !== "present") return plainRow(row);
    const turn = await gates.enter(row.pair.source, world.parts.asking.signal);
    try {
      return comparedRow(row, await referrersAt(world, row));
    } finally {
      turn?.release();
    }
  });
  const extra = deletions.map(({ name }) => extraRow(name));
  return { rows: [...(await Promise.all(rows)).toSorted(bySource), ...extra], gaps, problems };
}

/** The targets of one image stand together. */
function bySource(a: AuditRow, b: AuditRow): number {
  return (a.source ?? "").localeCompare(b.source ?? "");
}

const nothing = {
  source: undefined,
  digest: undefined,
  targetDigest: undefined,
  referrers: undefined,
  message: undefined,
} as const;

function extraRow(target: string): AuditRow {
  return { ...nothing, state: "extra", target };
}

const states: Readonly<Record<PlanState, AuditState>> = {
  absent: "no-source",
  copy: "missing",
  differs: "differs",
  present: "same",
  refused: "refused",
  unknown: "unknown",
};

function plainRow({ state, source, target, choice, targetDigest, failure }: PlanRow): AuditRow {
  const digest = choice?.named;
  return { ...nothing, state: states[state], source, target, digest, targetDigest, message: failure?.message };
}

async function referrersAt({ parts }: JobWorld, { pair, choice }: PlanRow): Promise<ReferrersState> {
  if (choice === undefined) return { kind: "present", count: 0 };
  try {
    return await compareReferrers(parts, pair, choice);
  } catch (error) {
    return { kind: "unknown", failure: thrownFailure(error) };
  }
}

function comparedRow(row: PlanRow, compared: ReferrersState): AuditRow {
  const plain = plainRow(row);
  switch (compared.kind) {
    case "present":
      return { ...plain, referrers: compared.count };
    case "unknown":
      return { ...plain, state: "unknown", message: compared.failure.message };
    case "missing": {
      const state = compared.missing > 0 ? "signatures-missing" : "signatures-differ";
      return { ...plain, state, message: compared.note };
    }
  }
}
