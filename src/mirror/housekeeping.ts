import { type Digest, parseDigest } from "../reference/digest.ts";
import type { ContentStore } from "../store/content.ts";
import type { ContentIndex } from "../store/content-index.ts";

/** What a sweep found. */
export interface SweepResult {
  readonly checkedFiles: number;
  readonly removedFiles: number;
}

/** Paces a long walk: waits between its steps, and says when to stop. */
export interface Pace {
  readonly signal: AbortSignal;
  pause(): Promise<void>;
}

/** A file without a row, or how far the walk for them is. */
export type OrphanStep =
  | { readonly kind: "orphan"; readonly digest: Digest }
  | { readonly kind: "step"; readonly checkedFiles: number };

/**
 * Finds files without a row: what a crash left between rename and row. Goes shard by shard and spares what is published
 * while it walks: `isFilling` is asked last.
 */
export async function* findOrphans(
  content: ContentStore,
  index: ContentIndex,
  isFilling: (digest: string) => boolean,
  pace: Pace,
): AsyncGenerator<OrphanStep, void, void> {
  let checkedFiles = 0;
  for (const shard of await content.shards()) {
    for (const name of await content.list(shard)) {
      if (pace.signal.aborted) return;
      const digest = parseDigest(name);
      checkedFiles++;
      if (digest === undefined || isFilling(digest) || (await index.blob(digest)) !== undefined || isFilling(digest))
        continue;
      yield { kind: "orphan", digest };
    }
    yield { kind: "step", checkedFiles };
    await pace.pause();
  }
}

/** Removes files without a row, behind the serving, never at start. */
export async function sweepContent(
  content: ContentStore,
  index: ContentIndex,
  isFilling: (digest: string) => boolean,
  pace: Pace,
): Promise<SweepResult> {
  let checkedFiles = 0;
  let removedFiles = 0;
  for await (const step of findOrphans(content, index, isFilling, pace)) {
    if (step.kind === "step") {
      ({ checkedFiles } = step);
      continue;
    }
    await content.remove(step.digest);
    removedFiles++;
  }
  return { checkedFiles, removedFiles };
}
