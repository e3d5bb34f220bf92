import type { Digest } from "../reference/digest.ts";
import type { Choice } from "./choice.ts";
import type { CopyFailure } from "./failure.ts";
import type { CopyPair } from "./pair.ts";

/**
 * What a copy would do about one image. `present`: the target's name stands for it already. `differs`: it stands for something
 * else. `unknown`: one of the two ends gave no knowledge. `refused`: it cannot be copied as it was asked for.
 */
export type PlanState = "absent" | "copy" | "differs" | "present" | "refused" | "unknown";

/** How much a copy would be, at most: what is at the target already is not taken off. */
export interface Estimate {
  readonly manifests: number;
  readonly blobs: number;
  readonly sizeBytes: number;
  readonly requests: number;
}

/** One image of a plan. */
export interface PlanRow {
  readonly pair: CopyPair;
  readonly source: string;
  readonly target: string;
  readonly state: PlanState;
  /** What is copied, as far as it was found out. */
  readonly choice: Choice | undefined;
  /** What the target's name stands for now. */
  readonly targetDigest: Digest | undefined;
  /** Why it is refused or unknown. */
  readonly failure: CopyFailure | undefined;
  /** What people should know of it. */
  readonly notes: readonly string[];
  /** Of what would be copied, when it was asked for. */
  readonly estimate: Estimate | undefined;
}

/** What a run would do, as a value: nothing has been written. */
export interface Plan {
  readonly rows: readonly PlanRow[];
  readonly counts: Readonly<Record<PlanState, number>>;
  readonly estimate: Estimate;
}

/** The plan of rows. Bytes and blobs that several images share are counted with each; `estimate` of the plan is their sum. */
export function planOf(rows: readonly PlanRow[]): Plan {
  const counts: Record<PlanState, number> = { absent: 0, copy: 0, differs: 0, present: 0, refused: 0, unknown: 0 };
  const estimate = { manifests: 0, blobs: 0, sizeBytes: 0, requests: 0 };
  for (const row of rows) {
    counts[row.state]++;
    estimate.manifests += row.estimate?.manifests ?? 0;
    estimate.blobs += row.estimate?.blobs ?? 0;
    estimate.sizeBytes += row.estimate?.sizeBytes ?? 0;
    estimate.requests += row.estimate?.requests ?? 0;
  }
  return { rows, counts, estimate };
}
