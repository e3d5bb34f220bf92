import type { Plan, PlanRow } from "../copy/plan.ts";
import { planCopies } from "../copy/planner.ts";
import type { CopyOptions, CopyPair } from "../copy/pair.ts";
import type { RunParts } from "../copy/parts.ts";
import type { Problem } from "../config/problem.ts";
import type { ImageCopy } from "../sync/copies.ts";
import type { SyncEntry } from "../sync/plan-input.ts";
import { type Deletion, planDeletions } from "./deletions.ts";
import type { Ends } from "./ends.ts";
import { expand, type Gap } from "./expand.ts";
import { Lists } from "./lists.ts";

/** What a job works with. */
export interface JobWorld {
  readonly parts: RunParts;
  readonly ends: Ends;
  /** Milliseconds since 1970, for the names of backups. */
  readonly epochMs: () => number;
}

/** Which entries, and what of the plan is found out beside the state of each image. */
export interface JobPlanning {
  /** Those that are carried out now. */
  readonly entries: readonly SyncEntry[];
  /** All of the file: what another of them copies to a place is not deleted there. */
  readonly allEntries: readonly SyncEntry[];
  readonly estimate: "copies" | "none";
  /** `asked`: what refers to images is compared where the entry copies it. */
  readonly referrers: "asked" | "none";
}

/** One image of a job. */
export interface JobImage {
  readonly copy: ImageCopy;
  readonly row: PlanRow;
}

/** What a job would do, as a value: nothing has been written, and nothing may be while there are problems. */
export interface JobPlan {
  readonly images: readonly JobImage[];
  readonly plan: Plan;
  readonly gaps: readonly Gap[];
  readonly deletions: readonly Deletion[];
  readonly problems: readonly Problem[];
}

/** What holds for every image unless its entry says otherwise: a tag of the target follows its source. */
export const jobOptions: CopyOptions = {
  platforms: [],
  mayMakeIndex: false,
  mayOverwrite: true,
  referrers: "none",
  trust: "parts",
};

/** Lists, chooses, maps and compares; asks and writes nothing. */
export async function planJob(world: JobWorld, planning: JobPlanning): Promise<JobPlan> {
  const { parts, ends } = world;
  const lists = new Lists(parts, ends);
  const { copies, gaps, problems } = await expand(lists, planning.entries);
  if (problems.length > 0) return { ...nothing, gaps, problems };
  const paired = await Promise.all(copies.map(async (copy) => ({ copy, pair: await pairOf(ends, copy, planning) })));
  const known = paired.flatMap(({ copy, pair }) => (pair === undefined ? [] : [{ copy, pair }]));
  const pairs = known.map(({ pair }) => pair);
  const [plan, deletions] = await Promise.all([
    planCopies(parts, pairs, { options: jobOptions, estimate: planning.estimate }),
    planDeletions({ ...world, lists }, { ...planning, copies }),
  ]);
  const images = known.flatMap(({ copy }, at) => {
    const row = plan.rows[at];
    return row === undefined ? [] : [{ copy, row }];
  });
  return { images, plan, gaps: [...gaps, ...deletions.gaps], deletions: deletions.deletions, problems };
}

const noCounts: Plan["counts"] = { absent: 0, copy: 0, differs: 0, present: 0, refused: 0, unknown: 0 };
const noEstimate: Plan["estimate"] = { manifests: 0, blobs: 0, sizeBytes: 0, requests: 0 };
const nothing = { images: [], plan: { rows: [], counts: noCounts, estimate: noEstimate }, deletions: [] } as const;

async function pairOf(
  ends: Ends,
  { source, target, entry }: ImageCopy,
  { referrers }: Pick<JobPlanning, "referrers">,
): Promise<CopyPair | undefined> {
  const sourceReference = source.digest ?? source.tag;
  if (sourceReference === undefined) return undefined;
  return {
    source: await ends.of(source.host, source.repository),
    sourceReference,
    target: await ends.of(target.host, target.repository),
    targetTag: target.tag,
    options: optionsOf(entry, referrers),
  };
}

/** Signatures often come later than what they sign, so that those of images that are there are compared too. */
function optionsOf(
  { platforms, referrers, digestTags }: SyncEntry,
  wanted: JobPlanning["referrers"],
): Partial<CopyOptions> {
  const all = wanted === "asked" && (referrers || digestTags) ? "all" : "none";
  switch (platforms.kind) {
    case "all":
      return { referrers: all };
    case "single":
      return { referrers: all, platforms: [platforms.platform] };
    case "index-of":
      return { referrers: all, platforms: platforms.platforms, mayMakeIndex: true };
  }
}
