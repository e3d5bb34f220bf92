import type { Asking } from "../copy/asking.ts";
import { type CopyFailure, failureOf, thrownFailure } from "../copy/failure.ts";
import type { CopyProgress } from "../copy/progress.ts";
import type { Digest } from "../reference/digest.ts";
import { forEachAtOnce } from "../copy/at-once.ts";
import type { FillImage, WantedBlob } from "./image.ts";
import type { FillPlan } from "./plan.ts";
import { FillProgress } from "./progress.ts";
import { type ImageRow, type Outcome, OutcomeCount, type TargetRow } from "./row.ts";
import { type BlobSource, sourcesOf } from "./sources.ts";
import { discard, spool, type Spooled } from "./spool.ts";
import { TargetWork } from "./target-work.ts";
import { Waiting } from "./waiting.ts";

/** How a plan is carried out. */
export interface FillOptions {
  /** A folder of its own for blobs that are on their way. */
  readonly spoolFolder: string;
  /** Blobs on their way at once; so many are in the folder. */
  readonly blobsAtOnce: number;
  /** Whether bytes that are known to be wrong are replaced. */
  readonly mayReplace: boolean;
  /** Told of each image that has come to its end. */
  readonly onRow?: (row: ImageRow) => void;
}

/** What came of a run: a row for each image and each target. */
export interface FillResult {
  readonly images: readonly ImageRow[];
  readonly targets: readonly TargetRow[];
}

/** Carries out a plan: each blob is read once, and put wherever it is missing. */
export class FillRun {
  readonly #asking: Asking;
  readonly #plan: FillPlan;
  readonly #options: FillOptions;
  readonly #progress: FillProgress;
  readonly #targets: readonly TargetWork[];
  readonly #outcomes = new Map<Digest, readonly Outcome[]>();
  readonly #rows: ImageRow[] = [];

  constructor(asking: Asking, plan: FillPlan, options: FillOptions) {
    this.#asking = asking;
    this.#plan = plan;
    this.#options = options;
    this.#progress = new FillProgress(plan.images.length);
    this.#targets = plan.targets.map((target) => new TargetWork(target, options.mayReplace, this.#progress));
  }

  /** How far it is. */
  get progress(): CopyProgress {
    return this.#progress.now();
  }

  /** Runs to its end or until the signal ends it; then what is there stays, and the same run goes on from it. */
  async run(): Promise<FillResult> {
    const work = this.#expect();
    const waiting = new Waiting(this.#plan.images, (digest) => work.has(digest));
    for (const image of waiting.ready()) this.#end(image);
    const settle = (digest: Digest, outcomes: readonly Outcome[]): void => {
      this.#settle(digest, outcomes);
      for (const image of waiting.done(digest)) this.#end(image);
    };
    const { blobsAtOnce } = this.#options;
    const act = async (blob: WantedBlob): Promise<void> => settle(blob.digest, await this.#blob(blob));
    await forEachAtOnce(work.values(), blobsAtOnce, act, this.#asking.signal);
    for (const digest of work.keys()) if (!this.#outcomes.has(digest)) settle(digest, this.#notBegun(digest));
    return { images: this.#rows, targets: this.#targets.map((target) => target.row()) };
  }

  /** The blobs that something is to be done for; of all others the outcome is noted. */
  #expect(): ReadonlyMap<Digest, WantedBlob> {
    const work = new Map<Digest, WantedBlob>();
    for (const [digest, blob] of this.#plan.blobs) {
      const wanting = this.#targets.filter((target) => target.isToBePut(digest));
      for (const { plan } of wanting) this.#progress.expect(plan.target.name, blob.sizeBytes);
      if (wanting.length > 0) work.set(digest, blob);
      else this.#settle(digest, this.#notBegun(digest));
    }
    return work;
  }

  #notBegun(digest: Digest): readonly Outcome[] {
    return this.#targets.map((target) => target.settled(digest) ?? stopped);
  }

  #settle(digest: Digest, outcomes: readonly Outcome[]): void {
    this.#outcomes.set(digest, outcomes);
    for (const [at, outcome] of outcomes.entries()) this.#targets[at]?.note(outcome);
  }

  /** Brings a blob to all that lack it; an outcome for each target, in their order. */
  async #blob(blob: WantedBlob): Promise<readonly Outcome[]> {
    const known = this.#targets.map((target) => target.settled(blob.digest));
    if (!known.includes(undefined)) return this.#notBegun(blob.digest);
    const read = await this.#read(blob);
    const bringing = this.#targets.map(async (target, at): Promise<Outcome> => {
      const outcome = known[at] ?? (await this.#bring(target, read));
      const isSpared = target.isToBePut(blob.digest) && outcome !== "put" && outcome !== "replaced";
      if (isSpared) this.#progress.spared(target.plan.target.name, blob.sizeBytes);
      return outcome;
    });
    const outcomes = await Promise.all(bringing);
    if (read.kind === "spooled") await discard(read.path);
    return outcomes;
  }

  async #bring(target: TargetWork, read: Read): Promise<Outcome> {
    if (read.kind === "none") return read.failure;
    try {
      return await target.bring(read, this.#asking.signal);
    } catch (error) {
      return thrownFailure(error);
    }
  }

  /** Reads a blob from the nearest that gives the right bytes. What the last one said is the failure. */
  async #read(blob: WantedBlob): Promise<Read> {
    const { digest, sizeBytes } = blob;
    const { signal } = this.#asking;
    let failure = missing(blob);
    for (const source of sourcesOf(this.#asking, blob, this.#plan.targets)) {
      const open = (startByte: number): ReturnType<BlobSource["open"]> => source.open(startByte);
      const spooled = await spool(this.#options.spoolFolder, { digest, sizeBytes, open, signal });
      if (spooled.kind === "spooled") return spooled;
      if (signal.aborted) return { kind: "none", failure: stopped };
      failure = spooled.kind === "absent" ? missing(blob) : failureOf(spooled, "source");
      if (failure.kind === "wrong-bytes") this.#noteWrong(source, digest);
    }
    return { kind: "none", failure };
  }

  #noteWrong({ target }: BlobSource, digest: Digest): void {
    this.#targets.find(({ plan }) => plan.target === target)?.noteWrong(digest);
  }

  #end(image: FillImage): void {
    const count = new OutcomeCount();
    if (image.failure !== undefined) count.failures.push(image.failure);
    for (const digest of image.blobs) for (const outcome of this.#outcomes.get(digest) ?? []) count.add(outcome);
    const { name, digest, sizeBytes, warnings } = image;
    const status = count.failures.length === 0 ? "filled" : "failed";
    const { counts, failures } = count;
    const row = { name, digest, status, blobs: image.blobs.length, sizeBytes, ...counts, failures, warnings } as const;
    this.#rows.push(row);
    this.#progress.imageDone();
    this.#options.onRow?.(row);
  }
}

type Read = Extract<Spooled, { readonly kind: "spooled" }> | { readonly kind: "none"; readonly failure: CopyFailure };

const stopped: CopyFailure = { kind: "cancelled", side: undefined, message: "stopped before it was there" };

function missing({ digest, sources }: WantedBlob): CopyFailure {
  const names = sources.map(({ name }) => name).join(", ");
  return { kind: "missing", side: "source", message: `${names} does not have ${digest}, which a manifest of it names` };
}
