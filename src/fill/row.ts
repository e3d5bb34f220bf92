import type { CopyFailure } from "../copy/failure.ts";
import type { Digest } from "../reference/digest.ts";

/** What came of blobs at targets, each counted once for each of them. */
export interface FillCounts {
  readonly put: number;
  /** Put in place of other bytes. */
  readonly replaced: number;
  readonly there: number;
  readonly failed: number;
}

/** What became of one image. `filled`: all of it is in all targets. A blob of two images is counted with both. */
export interface ImageRow extends FillCounts {
  readonly name: string;
  readonly digest: Digest | undefined;
  readonly status: "failed" | "filled";
  readonly blobs: number;
  readonly sizeBytes: number;
  /** The first few; the first says why. */
  readonly failures: readonly CopyFailure[];
  readonly warnings: readonly string[];
}

/** What became of one target. */
export interface TargetRow extends FillCounts {
  readonly name: string;
  readonly status: "failed" | "filled";
  readonly putBytes: number;
  /** How many failures there were of each kind. */
  readonly kinds: Readonly<Record<string, number>>;
  readonly failures: readonly CopyFailure[];
  /** Of what is there other bytes came when it was read. */
  readonly wrong: readonly Digest[];
  /** True when it failed so often in a row that it was left alone. */
  readonly isGivenUp: boolean;
}

/** What became of one blob at one target. */
export type Outcome = "put" | "replaced" | "there" | CopyFailure;

const failuresMax = 5;

/** Counts outcomes up. */
export class OutcomeCount implements FillCounts {
  put = 0;
  replaced = 0;
  there = 0;
  failed = 0;
  readonly failures: CopyFailure[] = [];

  add(outcome: Outcome): void {
    if (typeof outcome === "string") {
      this[outcome]++;
      return;
    }
    this.failed++;
    const isSaid = this.failures.some(({ message }) => message === outcome.message);
    if (!isSaid && this.failures.length < failuresMax) this.failures.push(outcome);
  }

  get counts(): FillCounts {
    const { put, replaced, there, failed } = this;
    return { put, replaced, there, failed };
  }
}
