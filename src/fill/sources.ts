import type { Asking } from "../copy/asking.ts";
import { asFailure } from "../errors/failure.ts";
import type { Digest } from "../reference/digest.ts";
import type { Answer, BlobStream } from "../registry/remote.ts";
import { unavailable } from "../registry/unavailable.ts";
import type { WantedBlob } from "./image.ts";
import type { TargetPlan } from "./plan.ts";
import type { BlobTarget } from "./target.ts";

/** Where a blob may be read. */
export interface BlobSource {
  readonly name: string;
  /** The target that it is, when it is one. */
  readonly target: BlobTarget | undefined;
  open(startByte: number): Promise<Answer<BlobStream>>;
}

/** Nobody waits for the first byte of a blob longer. */
const answerMs = 60_000;

/** Targets that hold a blob, in the order they were given, then the repositories that name it: a bucket is taken to be nearer. */
export function sourcesOf(asking: Asking, blob: WantedBlob, targets: readonly TargetPlan[]): readonly BlobSource[] {
  const holders = targets.filter(({ states }) => states.get(blob.digest) === "held").map(({ target }) => target);
  return [...holders.map((target) => targetSource(target, blob.digest, asking.signal)), ...repositories(asking, blob)];
}

/** A target as where a blob is read. */
export function targetSource(target: BlobTarget, digest: Digest, signal: AbortSignal): BlobSource {
  return {
    name: target.name,
    target,
    open: (startByte) => target.open(digest, startByte, { signal, timeoutMs: answerMs }),
  };
}

function repositories(asking: Asking, { digest, sources }: WantedBlob): readonly BlobSource[] {
  return sources.map((source) => ({
    name: source.name,
    target: undefined,
    async open(startByte) {
      try {
        return await source.getBlob(digest, { startByte, endByte: undefined }, asking.limits(source));
      } catch (error) {
        // A folder or an archive that cannot be read.
        return unavailable("failed", asFailure(error, "STORAGE_FAILED", `reading ${source.name}`).message);
      }
    },
  }));
}
