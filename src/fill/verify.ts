import type { Asking } from "../copy/asking.ts";
import { type CopyFailure, failureOf } from "../copy/failure.ts";
import type { Digest } from "../reference/digest.ts";
import type { Absent, Unavailable } from "../registry/remote.ts";
import { forEachAtOnce } from "../copy/at-once.ts";
import type { BlobState, FillPlan, TargetPlan } from "./plan.ts";
import { readBlob } from "./read-blob.ts";
import { type Sample, sampleOf } from "./sample.ts";
import { targetSource } from "./sources.ts";

/** How targets are verified. */
export interface VerifyOptions {
  /** Of each target. */
  readonly sample: Sample;
  /** A number in [0, 1). */
  readonly random: () => number;
}

/** What was found out of one target. Everything that is not right is named. */
export interface VerifyRow {
  readonly name: string;
  /** Blobs that it should hold. */
  readonly blobs: number;
  readonly missing: readonly Digest[];
  readonly sampled: number;
  readonly right: number;
  readonly readBytes: number;
  /** Other bytes, or another size, which is seen without reading. */
  readonly wrong: readonly Digest[];
  /** How many could not be read, or gave no word, and why the first one. */
  readonly unread: number;
  readonly failure: CopyFailure | undefined;
}

/** What verifying came to, and the plan with what is known now: carried out, it repairs. */
export interface Verified {
  readonly rows: readonly VerifyRow[];
  readonly plan: FillPlan;
}

/** From each target. */
const readsAtOnce = 4;
/** One that cannot be read so often in a row is not read further. */
const failuresInRowMax = 5;

/** Reads a sample of what each target holds, and hashes it. Nothing is written. */
export async function verifyTargets(asking: Asking, plan: FillPlan, options: VerifyOptions): Promise<Verified> {
  const verifications = plan.targets.map((target) => new Verification(asking, plan, target));
  const rows = await Promise.all(verifications.map((verification) => verification.run(options)));
  return { rows, plan: { ...plan, targets: verifications.map((verification) => verification.plan()) } };
}

class Verification {
  readonly #asking: Asking;
  readonly #blobs: FillPlan["blobs"];
  readonly #target: TargetPlan;
  readonly #states: Map<Digest, BlobState>;
  #right = 0;
  #readBytes = 0;
  #unread = 0;
  #failuresInRow = 0;
  #failure: CopyFailure | undefined;

  constructor(asking: Asking, { blobs }: FillPlan, target: TargetPlan) {
    this.#asking = asking;
    this.#blobs = blobs;
    this.#target = target;
    this.#states = new Map(target.states);
    const { unknown, failure } = target.holdings;
    this.#unread = unknown.size;
    this.#failure = failure && failureOf(failure, "target");
  }

  async run({ sample, random }: VerifyOptions): Promise<VerifyRow> {
    const sampled = sampleOf(this.#in("held"), sample, random);
    await forEachAtOnce(sampled, readsAtOnce, (digest) => this.#verify(digest));
    return {
      name: this.#target.target.name,
      blobs: this.#states.size,
      missing: this.#in("missing"),
      sampled: sampled.length,
      right: this.#right,
      readBytes: this.#readBytes,
      wrong: this.#in("wrong"),
      unread: this.#unread,
      failure: this.#failure,
    };
  }

  plan(): TargetPlan {
    return { ...this.#target, states: this.#states };
  }

  #in(state: BlobState): readonly Digest[] {
    return [...this.#states].flatMap(([digest, is]) => (is === state ? [digest] : []));
  }

  async #verify(digest: Digest): Promise<void> {
    if (this.#failuresInRow >= failuresInRowMax) {
      this.#unread++;
      return;
    }
    const { signal } = this.#asking;
    const source = targetSource(this.#target.target, digest, signal);
    const fault = await readBlob(
      {
        digest,
        sizeBytes: this.#blobs.get(digest)?.sizeBytes ?? 0,
        open: (startByte) => source.open(startByte),
        onRead: (sizeBytes) => {
          this.#readBytes += sizeBytes;
        },
        signal,
      },
      () => Promise.resolve(),
    );
    this.#note(digest, fault);
  }

  #note(digest: Digest, fault: Absent | Unavailable | undefined): void {
    if (fault?.kind === "unavailable" && fault.reason !== "wrong-bytes") {
      this.#unread++;
      this.#failuresInRow++;
      this.#failure ??= failureOf(fault, "target");
      return;
    }
    this.#failuresInRow = 0;
    if (fault === undefined) this.#right++;
    else this.#states.set(digest, fault.kind === "absent" ? "missing" : "wrong");
  }
}
