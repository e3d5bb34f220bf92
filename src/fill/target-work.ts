import type { CopyFailure } from "../copy/failure.ts";
import type { Digest } from "../reference/digest.ts";
import type { Unavailable } from "../registry/remote.ts";
import { type BlobState, isLacking, type TargetPlan } from "./plan.ts";
import type { FillProgress } from "./progress.ts";
import { type Outcome, OutcomeCount, type TargetRow } from "./row.ts";
import type { BlobPut, SpooledBlob } from "./target.ts";

/** A target that fails so often in a row is left alone, so that it holds up no other. */
const failuresInRowMax = 5;

/** One target while a plan is carried out. */
export class TargetWork {
  readonly plan: TargetPlan;
  readonly #mayReplace: boolean;
  readonly #progress: FillProgress;
  readonly #count = new OutcomeCount();
  readonly #kinds = new Map<string, number>();
  readonly #wrong = new Set<Digest>();
  #failuresInRow = 0;
  #putBytes = 0;

  constructor(plan: TargetPlan, mayReplace: boolean, progress: FillProgress) {
    this.plan = plan;
    this.#mayReplace = mayReplace;
    this.#progress = progress;
  }

  get isGivenUp(): boolean {
    return this.#failuresInRow >= failuresInRowMax;
  }

  stateOf(digest: Digest): BlobState {
    return this.plan.states.get(digest) ?? "missing";
  }

  /** Whether something is to be done here for a blob. */
  isToBePut(digest: Digest): boolean {
    const state = this.stateOf(digest);
    return isLacking(state) || (state === "wrong" && this.#mayReplace);
  }

  /** What is known of a blob without doing anything; nothing when it is to be put. */
  settled(digest: Digest): Outcome | undefined {
    const { name } = this.plan.target;
    if (this.stateOf(digest) === "held") return "there";
    if (this.isToBePut(digest)) return this.isGivenUp ? left(name) : undefined;
    const message = `${name}/${digest}: other bytes are there; --verify with --apply replaces them`;
    return { kind: "wrong-bytes", side: "target", message };
  }

  /** Puts a blob, in place of other bytes where there are some. */
  async bring(blob: SpooledBlob, signal: AbortSignal): Promise<Outcome> {
    const { target } = this.plan;
    const isReplaced = this.stateOf(blob.digest) === "wrong";
    const removed = isReplaced ? await target.remove(blob.digest, signal) : undefined;
    const answer = removed?.kind === "unavailable" ? removed : await target.put(blob, signal);
    this.#failuresInRow = isOfTheTarget(answer) ? this.#failuresInRow + 1 : 0;
    if (answer.kind === "already-there") return "there";
    if (answer.kind === "unavailable") return failureOf(answer);
    this.#putBytes += blob.sizeBytes;
    this.#progress.sent(target.name, blob.sizeBytes);
    return isReplaced ? "replaced" : "put";
  }

  /** Notes what became of a blob here. */
  note(outcome: Outcome): void {
    this.#count.add(outcome);
    if (typeof outcome === "string") return;
    this.#kinds.set(outcome.kind, (this.#kinds.get(outcome.kind) ?? 0) + 1);
  }

  /** Notes that what is there is something else. */
  noteWrong(digest: Digest): void {
    this.#wrong.add(digest);
  }

  row(): TargetRow {
    const { counts, failures } = this.#count;
    return {
      name: this.plan.target.name,
      status: counts.failed === 0 && this.#wrong.size === 0 ? "filled" : "failed",
      ...counts,
      putBytes: this.#putBytes,
      kinds: Object.fromEntries(this.#kinds),
      failures,
      wrong: [...this.#wrong],
      isGivenUp: this.isGivenUp,
    };
  }
}

/** Failures that say something of the target as a whole. */
function isOfTheTarget(answer: BlobPut): boolean {
  if (answer.kind !== "unavailable") return false;
  return answer.status !== 412 && answer.reason !== "wrong-bytes" && answer.reason !== "cancelled";
}

function failureOf({ reason, status, message }: Unavailable): CopyFailure {
  return { kind: status === 412 ? "conflict" : reason, side: "target", message };
}

function left(name: string): CopyFailure {
  const message = `${name} failed ${failuresInRowMax} times in a row and was left alone; the same command goes on`;
  return { kind: "breaker-open", side: "target", message };
}
