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

/** Finds files without a row: what a crash left between rename and row. Goes shard by shard. */
export async function* findOrphans(
  content: ContentStore,
  index: ContentIndex,
  pace: Pace,
): AsyncGenerator<OrphanStep, void, void> {
  let checkedFiles = 0;
  for (const shard of await content.shards()) {
    for (const name of await content.list(shard)) {
      if (pace.signal.aborted) return;
      const digest = parseDigest(name);
      checkedFiles++;
      if (digest === undefined || (await index.blob(digest)) !== undefined) continue;
      yield { kind: "orphan", digest };
    }
    yield { kind: "step", checkedFiles };
    await pace.pause();
  }
}

/** Removes files without a row, behind the serving, never at start. */
export async function sweepContent(content: ContentStore, index: ContentIndex, pace: Pace): Promise<SweepResult> {
  let checkedFiles = 0;
  let removedFiles = 0;
  for await (const step of findOrphans(content, index, pace)) {
    if (step.kind === "step") {
      ({ checkedFiles } = step);
      continue;
    }
    if (await removeOrphan(content, index, step.digest)) removedFiles++;
  }
  return { checkedFiles, removedFiles };
}

/** Removes the file of a digest if it is without a row still, now that nobody is about to write one. */
export function removeOrphan(content: ContentStore, index: ContentIndex, digest: Digest): Promise<boolean> {
  return content.alone(digest, async () => {
    if ((await index.blob(digest)) !== undefined) return false;
    await content.remove(digest);
    return true;
  });
}
