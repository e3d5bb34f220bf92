import { readChosen } from "./chosen.ts";
import type { Choice } from "./choice.ts";
import type { CopyFailure } from "./failure.ts";
import type { CopyOptions } from "./pair.ts";
import type { RunParts } from "./parts.ts";
import type { PlanRow } from "./plan.ts";
import type { ImageCounter } from "./progress.ts";
import { type Referrer, referrersOf } from "./referrers.ts";
import type { ReferrersLists } from "./referrers-list.ts";
import { ReferrerCopy } from "./referrer-copy.ts";
import { type CopyRow, FigureCount } from "./row.ts";
import type { Transfers } from "./transfers.ts";
import type { ImageTree } from "./tree.ts";
import { TreeCopy, type TreeCopyParts } from "./tree-copy.ts";

/** What images are copied with. */
export interface ImageCopyParts extends RunParts {
  readonly transfers: Transfers;
  readonly lists: ReferrersLists;
  readonly options: CopyOptions;
}

/** Copies one image as it was chosen: its parts, what refers to it, and its tag last, so that nobody sees half of it by name. */
export class ImageCopy {
  readonly #parts: ImageCopyParts;
  readonly #row: PlanRow;
  readonly #choice: Choice;
  readonly #copying: TreeCopyParts;
  readonly #copy: TreeCopy;
  readonly #figures = new FigureCount();
  readonly #incomplete: string[] = [];
  readonly #warnings: string[] = [];

  constructor(parts: ImageCopyParts, row: PlanRow, choice: Choice, counter: ImageCounter) {
    this.#parts = parts;
    this.#row = row;
    this.#choice = choice;
    const { asking, transfers, options } = parts;
    const { source, target } = row.pair;
    this.#copying = { asking, transfers, source, target, trust: options.trust, counter, figures: this.#figures };
    this.#copy = new TreeCopy(this.#copying);
  }

  /** Runs to its end; what fails is in the row. */
  async run(): Promise<CopyRow> {
    const { source } = this.#row.pair;
    const chosen = await readChosen(this.#parts, source, this.#choice);
    if (chosen.kind === "none") return this.#failed([chosen.failure]);
    const { trees } = chosen;
    this.#warnings.push(...this.#row.notes, ...trees.flatMap(({ warnings }) => warnings));
    const below = Promise.all(trees.map((tree) => this.#copy.below(tree)));
    const [referrers, areThere] = await Promise.all([this.#found(trees), below]);
    const isThere = areThere.every(Boolean) && (await this.#bring(trees, referrers)) && (await this.#tag(trees));
    return isThere ? this.#copied() : this.#failed(this.#copy.failures);
  }

  /** Puts the roots, all below which is there. With nothing to come between, the one root is put under its tag at once. */
  async #bring(trees: readonly ImageTree[], referrers: readonly Referrer[]): Promise<boolean> {
    const isNamedAtOnce = referrers.length === 0 && this.#row.pair.targetTag !== undefined;
    const brought = trees.map(async (tree) => {
      if (isNamedAtOnce && tree.root === this.#choice.named) return true;
      return (await this.#copy.put(tree, tree.root)).kind !== "failed";
    });
    if (!(await Promise.all(brought)).every(Boolean)) return false;
    const { lists, options } = this.#parts;
    const copy = new ReferrerCopy({ ...this.#copying, lists, mayOverwrite: options.mayOverwrite });
    const problems = await Promise.all(referrers.map((referrer) => copy.bring(referrer)));
    this.#incomplete.push(...problems.filter((problem) => problem !== undefined));
    return true;
  }

  async #tag(trees: readonly ImageTree[]): Promise<boolean> {
    const { targetDigest, pair } = this.#row;
    const { named, made } = this.#choice;
    const reference = pair.targetTag ?? made?.digest;
    if (reference === undefined || named === undefined || named === targetDigest) return true;
    const body = made ?? trees.find(({ root }) => root === named)?.nodes.get(named)?.body;
    if (body === undefined) return false;
    return (await this.#copy.name(body, reference)).kind !== "failed";
  }

  async #found(trees: readonly ImageTree[]): Promise<readonly Referrer[]> {
    if (this.#parts.options.referrers === "none") return [];
    const reading = { ...this.#parts, source: this.#row.pair.source };
    const { referrers, problems } = await referrersOf(reading, this.#parts.tags, trees);
    this.#incomplete.push(...problems);
    return referrers;
  }

  #copied(): CopyRow {
    const { targetDigest } = this.#row;
    const { named } = this.#choice;
    const replaced = targetDigest === named ? undefined : targetDigest;
    return { ...this.#base(), status: "copied", digest: named, replaced, failures: [] };
  }

  #failed(failures: readonly CopyFailure[]): CopyRow {
    return { ...this.#base(), status: "failed", failures };
  }

  #base(): CopyRow {
    const { source, target } = this.#row;
    return {
      source,
      target,
      status: "failed",
      digest: undefined,
      replaced: undefined,
      why: undefined,
      failures: [],
      incomplete: this.#incomplete,
      warnings: this.#warnings,
      figures: this.#figures,
    };
  }
}
