import { type Digest, parseDigest } from "../reference/digest.ts";
import type { Tag } from "../reference/repository.ts";
import type { Absent, Unavailable } from "../registry/remote.ts";
import { type Choice, choosePlatforms, type NoChoice, wholeImage } from "./choice.ts";
import type { ImageSource, ImageTarget } from "./ends.ts";
import { type CopyFailure, failureOf, isNoKnowledge, thrownFailure } from "./failure.ts";
import { compareReferrers } from "./compare-referrers.ts";
import { eachByRegistry } from "./at-once.ts";
import { type CopyOptions, type CopyPair, nameAt } from "./pair.ts";
import { type Plan, planOf, type PlanRow, type PlanState } from "./plan.ts";
import { estimateOf } from "./estimate.ts";
import { refusalOf } from "./tree.ts";
import type { RunParts } from "./parts.ts";

/** What of a plan is found out beside the state of each image. */
export interface Planning {
  readonly options: CopyOptions;
  /** `copies`: the sizes of what would be copied, for which its manifests are read. */
  readonly estimate: "copies" | "none";
  /** The copy follows: what the target lacks is read from the source at once, in place of a HEAD and then a GET. */
  readonly isForCopy?: boolean;
  /** Told of each row that is known. */
  readonly onRow?: (row: PlanRow) => void;
}

/** From each registry: as many as it is asked questions at once. */
const rowsAtOnce = 16;

/**
 * What copying these images would do; asks and writes nothing. An image that is the same at both ends costs one HEAD at each, unless
 * the referrers of all are asked for.
 */
export async function planCopies(parts: RunParts, pairs: readonly CopyPair[], planning: Planning): Promise<Plan> {
  const rows = await eachByRegistry(
    pairs,
    ({ source }) => source,
    rowsAtOnce,
    async (pair) => {
      const planned = new RowPlanning(parts, pair, planning);
      let row: PlanRow;
      try {
        row = await planned.row();
      } catch (error) {
        row = planned.broken(error);
      }
      planning.onRow?.(row);
      return row;
    },
  );
  return planOf(refuseConflicts(rows));
}

/** Two images for one name: the second would take the first one's place. All of them are refused. */
function refuseConflicts(rows: readonly PlanRow[]): readonly PlanRow[] {
  const byTarget = Map.groupBy(rows, (row) => (isTagged(row) ? row.target : ""));
  const clashing = new Set<string>();
  for (const [target, group] of byTarget) {
    if (group.length === 1) continue;
    const digests = new Set(group.map(({ choice, source }) => choice?.named ?? source));
    if (target !== "" && digests.size > 1) clashing.add(target);
  }
  if (clashing.size === 0) return rows;
  return rows.map((row) => {
    if (!clashing.has(row.target)) return row;
    const message = `${byTarget.get(row.target)?.length ?? 0} images go to ${row.target}; give each a name of its own`;
    return { ...row, state: "refused", failure: { kind: "conflict", side: undefined, message } };
  });
}

function isTagged({ pair, choice }: Pick<PlanRow, "choice" | "pair">): boolean {
  return pair.targetTag !== undefined && (choice === undefined || choice.named !== undefined);
}

/** What a name stands for. */
type Named =
  | { readonly kind: "found"; readonly digest: Digest; readonly mediaType: string | undefined }
  | Absent
  | Unavailable;

/** What was found out of an image before its row is made. */
type Known = Partial<Pick<PlanRow, "choice" | "failure" | "notes" | "targetDigest">>;

class RowPlanning {
  readonly #parts: RunParts;
  readonly #pair: CopyPair;
  readonly #planning: Planning;
  readonly #options: CopyOptions;

  constructor(parts: RunParts, pair: CopyPair, planning: Planning) {
    this.#parts = parts;
    this.#pair = pair;
    this.#planning = planning;
    this.#options = pair.options === undefined ? planning.options : { ...planning.options, ...pair.options };
  }

  /** Throws what an end throws. */
  async row(): Promise<PlanRow> {
    const { source, sourceReference } = this.#pair;
    const [named, present] = await this.#ends();
    if (named.kind === "absent") return this.#as("absent", {});
    if (named.kind === "unavailable") return this.#as("unknown", { failure: failureOf(named, "source") });
    const refusal = refusalOf(named.mediaType);
    if (refusal !== undefined) {
      const message = `${nameAt(source, sourceReference)} ${refusal}`;
      return this.#failed({ kind: "manifest", side: "source", message });
    }
    const choice = this.#options.platforms.length === 0 ? wholeImage(named.digest) : await this.#choice(named.digest);
    if (choice.kind === "none") return this.#failed(choice.failure);
    return this.#compared(choice, present ?? (await this.#rootsAt(choice)));
  }

  /** The row of an image whose end threw this. */
  broken(error: unknown): PlanRow {
    return this.#as("unknown", { failure: thrownFailure(error) });
  }

  /** What is at the source, and what the target's tag stands for. */
  #ends(): Promise<readonly [Named, Named | undefined]> {
    const { source, sourceReference, target, targetTag } = this.#pair;
    const asked = targetTag === undefined ? undefined : this.#named(target, targetTag);
    if (this.#planning.isForCopy === true) return this.#readAfter(asked);
    return Promise.all([this.#named(source, sourceReference), asked]);
  }

  async #readAfter(asked: Promise<Named> | undefined): Promise<readonly [Named, Named | undefined]> {
    const { source, sourceReference } = this.#pair;
    const present = await asked;
    const isCopied = present?.kind === "absent";
    return [await (isCopied ? this.#read(source, sourceReference) : this.#named(source, sourceReference)), present];
  }

  #compared(choice: Choice, present: Named): PlanRow | Promise<PlanRow> {
    if (present.kind === "unavailable") {
      return this.#as("unknown", { choice, failure: failureOf(present, "target") });
    }
    if (present.kind === "absent") return this.#estimated(this.#as("copy", { choice }));
    const targetDigest = present.digest;
    if (choice.named !== undefined && choice.named !== targetDigest) {
      return this.#estimated(this.#as("differs", { choice, targetDigest }));
    }
    if (this.#options.referrers !== "all") return this.#as("present", { choice, targetDigest });
    return this.#withReferrers(choice, targetDigest);
  }

  async #withReferrers(choice: Choice, targetDigest: Digest): Promise<PlanRow> {
    const compared = await compareReferrers(this.#parts, this.#pair, choice);
    switch (compared.kind) {
      case "present":
        return this.#as("present", { choice, targetDigest });
      case "unknown":
        return this.#as("unknown", { choice, targetDigest, failure: compared.failure });
      case "missing": {
        const notes = [...choice.notes, compared.note];
        return await this.#estimated(this.#as("copy", { choice, targetDigest, notes }));
      }
    }
  }

  async #named(end: ImageSource | ImageTarget, reference: Tag | Digest): Promise<Named> {
    const { asking } = this.#parts;
    const head = await asking.ask(end, (limits) => end.headManifest(reference, limits));
    if (head.kind !== "found") return head;
    const digest = head.digest ?? parseDigest(reference);
    if (digest !== undefined) return { kind: "found", digest, mediaType: head.mediaType };
    return await this.#read(end, reference);
  }

  async #read(end: ImageSource | ImageTarget, reference: Tag | Digest): Promise<Named> {
    const { asking, shelf } = this.#parts;
    const body = await asking.ask(end, (limits) => end.getManifest(reference, limits));
    if (body.kind === "found") shelf.put(body);
    return body;
  }

  async #choice(digest: Digest): Promise<Choice | NoChoice> {
    const options = this.#options;
    const { source } = this.#pair;
    const root = await this.#parts.shelf.get(source, digest);
    if (root.kind === "found") return choosePlatforms(root, options);
    const message = `${source.name} names ${digest} and does not have it`;
    const failure: CopyFailure =
      root.kind === "absent" ? { kind: "missing", side: "source", message } : failureOf(root, "source");
    return { kind: "none", failure };
  }

  /** What is put by digest is there when all of it is. */
  async #rootsAt({ roots }: Choice): Promise<Named> {
    const { target } = this.#pair;
    for (const root of roots) {
      const named = await this.#named(target, root);
      if (named.kind !== "found" || root === roots.at(-1)) return named;
    }
    return { kind: "absent" };
  }

  async #estimated(row: PlanRow): Promise<PlanRow> {
    if (this.#planning.estimate === "none" || row.choice === undefined) return row;
    const estimated = await estimateOf(this.#parts, row, this.#options);
    return estimated.kind === "none" ? this.#failed(estimated.failure) : { ...row, estimate: estimated.estimate };
  }

  #failed(failure: CopyFailure): PlanRow {
    return this.#as(isNoKnowledge(failure) ? "unknown" : "refused", { failure });
  }

  #as(state: PlanState, { choice, targetDigest, failure, notes }: Known): PlanRow {
    const { source, sourceReference, target, targetTag } = this.#pair;
    const [only, ...more] = choice?.roots ?? [];
    const isNamed = isTagged({ pair: this.#pair, choice });
    return {
      pair: this.#pair,
      source: nameAt(source, sourceReference),
      target: nameAt(target, isNamed ? targetTag : more.length > 0 ? undefined : only),
      state,
      choice,
      targetDigest,
      failure,
      notes: notes ?? choice?.notes ?? [],
      estimate: undefined,
    };
  }
}
