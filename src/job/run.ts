import type { CopyProgress } from "../copy/progress.ts";
import type { CopyRow } from "../copy/row.ts";
import { type CopyResult, CopyRun } from "../copy/run.ts";
import { backUp } from "./backups.ts";
import { carryOutDeletions, type DeletionRow } from "./deletions.ts";
import { jobOptions, type JobPlan, type JobWorld } from "./plan.ts";

/** How a job is carried out. */
export interface JobRunOptions {
  readonly blobsAtOnce: number;
  readonly imagesAtOnce: number | undefined;
  /** Told of each image, and of each deletion, that has come to its end. */
  readonly onRow: (row: CopyRow) => void;
  readonly onDeletion: (row: DeletionRow) => void;
}

/** What came of a job. */
export interface JobResult extends CopyResult {
  readonly backups: readonly CopyRow[];
  readonly deletions: readonly DeletionRow[];
}

/** Carries out a plan: backups, then copies, then deletions. What is wrong with one image stops no other. */
export class JobRun {
  readonly #world: JobWorld;
  readonly #plan: JobPlan;
  readonly #options: JobRunOptions;
  #copying: CopyRun | undefined;

  constructor(world: JobWorld, plan: JobPlan, options: JobRunOptions) {
    this.#world = world;
    this.#plan = plan;
    this.#options = options;
  }

  /** How far the copies are. */
  get progress(): CopyProgress {
    const images = { done: 0, total: this.#plan.images.length };
    return this.#copying?.progress ?? { images, doneBytes: 0, totalBytes: 0, sentBytes: 0, active: [] };
  }

  /** Runs to its end or until the signal ends it; then what is there stays, and nothing is deleted. */
  async run(): Promise<JobResult> {
    const { parts } = this.#world;
    const { blobsAtOnce, imagesAtOnce, onRow, onDeletion } = this.#options;
    const { plan, backups } = await backUp(this.#world, this.#plan, blobsAtOnce);
    this.#copying = new CopyRun(parts, plan, { options: jobOptions, blobsAtOnce, imagesAtOnce, onRow });
    const copied = await this.#copying.run();
    const asked = parts.asking.signal.aborted ? [] : this.#plan.deletions;
    return { ...copied, backups, deletions: await carryOutDeletions(parts, asked, onDeletion) };
  }
}
