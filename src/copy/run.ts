import type { Choice } from "./choice.ts";
import type { ImageTarget } from "./ends.ts";
import { type CopyFailure, thrownFailure } from "./failure.ts";
import { eachByRegistry, registryOf } from "./at-once.ts";
import { ImageCopy, type ImageCopyParts } from "./image-copy.ts";
import type { CopyOptions } from "./pair.ts";
import type { RunParts } from "./parts.ts";
import type { Plan, PlanRow } from "./plan.ts";
import { type CopyProgress, type ImageCounter, ProgressCount } from "./progress.ts";
import { ReferrersLists } from "./referrers-list.ts";
import { type CopyRow, FigureCount } from "./row.ts";
import { Transfers } from "./transfers.ts";

/** What came of a run as a whole, beside its rows. */
export interface CopyResult {
  readonly rows: readonly CopyRow[];
  /** What went wrong when targets were made last; nothing of such a target is sure. */
  readonly failures: readonly CopyFailure[];
}

/** How a run is carried out. */
export interface RunOptions {
  readonly options: CopyOptions;
  /** Blobs that are sent at once, over all images. Each registry's own budget holds beside it. */
  readonly blobsAtOnce: number;
  /** Images that are copied at once from each registry; six without it. */
  readonly imagesAtOnce?: number | undefined;
  /** Told of each image that has come to its end. */
  readonly onRow?: (row: CopyRow) => void;
}

/** From each registry, where the run does not say. */
const imagesAtOnce = 6;

/** Carries out a plan: every image has a row, and a bad one stops no other. */
export class CopyRun {
  readonly #parts: Omit<ImageCopyParts, "options">;
  readonly #plan: Plan;
  readonly #run: RunOptions;
  readonly #progress: ProgressCount;
  readonly #unreached: ReadonlySet<string>;

  constructor(parts: RunParts, plan: Plan, run: RunOptions) {
    const { asking } = parts;
    const transfers = new Transfers(asking, run.blobsAtOnce);
    this.#parts = { ...parts, transfers, lists: new ReferrersLists(asking) };
    this.#plan = plan;
    this.#run = run;
    this.#progress = new ProgressCount(plan.rows.length);
    this.#unreached = unreached(plan.rows);
  }

  /** How far it is. */
  get progress(): CopyProgress {
    return this.#progress.now();
  }

  /** Runs to its end or until the signal ends it; then what is there stays, and the same run goes on from it. */
  async run(): Promise<CopyResult> {
    const atOnce = this.#run.imagesAtOnce ?? imagesAtOnce;
    const rows = await eachByRegistry(
      this.#plan.rows,
      ({ pair }) => pair.source,
      atOnce,
      (row) => this.#row(row),
    );
    return { rows, failures: await this.#close() };
  }

  #row(row: PlanRow): CopyRow | Promise<CopyRow> {
    const settled = this.#settled(row);
    if (settled === undefined && row.choice !== undefined) {
      return this.#image(row, row.choice).then((copied) => this.#told(copied));
    }
    this.#progress.skip();
    return this.#told(settled ?? notCopied(row, {}));
  }

  #told(row: CopyRow): CopyRow {
    this.#run.onRow?.(row);
    return row;
  }

  async #image(row: PlanRow, choice: Choice): Promise<CopyRow> {
    const counter: ImageCounter = this.#progress.begin(row.target);
    try {
      const options = { ...this.#run.options, ...row.pair.options };
      return await new ImageCopy({ ...this.#parts, options }, row, choice, counter).run();
    } catch (error) {
      return notCopied(row, { failures: [thrownFailure(error)] });
    } finally {
      counter.end();
    }
  }

  /**
   * What is known without doing anything. A target that gave no word is tried, as what is wrong with it shows then, but not one that
   * no question of the whole plan has reached.
   */
  #settled(row: PlanRow): CopyRow | undefined {
    const { state, failure, targetDigest, choice } = row;
    const { mayOverwrite } = this.#run.options;
    if (this.#parts.asking.signal.aborted) return notCopied(row, { failures: [stopped] });
    if (state === "present")
      return notCopied(row, { status: "skipped", why: "it is there already", digest: targetDigest });
    if (state === "absent") {
      const message = `${row.source} is not there`;
      return notCopied(row, { failures: [{ kind: "absent", side: "source", message }] });
    }
    if (state === "differs" && !mayOverwrite) {
      return notCopied(row, {
        status: "skipped",
        why: `${row.target} stands for something else`,
        digest: targetDigest,
      });
    }
    const isDoubtful = state === "unknown" && (!mayOverwrite || this.#unreached.has(registryOf(row.pair.target)));
    const isTried = state !== "refused" && choice !== undefined && !isDoubtful;
    return isTried ? undefined : notCopied(row, { failures: failure === undefined ? [] : [failure] });
  }

  async #close(): Promise<readonly CopyFailure[]> {
    const targets = new Set<ImageTarget>(this.#plan.rows.map(({ pair }) => pair.target));
    const closed = await Promise.allSettled([...targets].map((target) => target.close()));
    return closed.flatMap((result) => (result.status === "rejected" ? [thrownFailure(result.reason)] : []));
  }
}

/** Target registries that could not be reached for any image of a plan: each blob would be tried there for a minute. */
function unreached(rows: readonly PlanRow[]): ReadonlySet<string> {
  const isUnreached = ({ failure }: PlanRow): boolean => failure?.side === "target" && failure.kind === "unreachable";
  const byRegistry = Map.groupBy(rows, ({ pair }) => registryOf(pair.target));
  return new Set([...byRegistry].filter(([, group]) => group.every(isUnreached)).map(([registry]) => registry));
}

const stopped: CopyFailure = { kind: "cancelled", side: undefined, message: "stopped before it was begun" };

function notCopied(row: PlanRow, known: Partial<CopyRow>): CopyRow {
  return {
    source: row.source,
    target: row.target,
    status: "failed",
    digest: undefined,
    replaced: undefined,
    why: undefined,
    failures: [],
    incomplete: [],
    warnings: row.notes,
    figures: new FigureCount(),
    ...known,
  };
}
