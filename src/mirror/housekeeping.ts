import { parseDigest } from "../reference/digest.ts";
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

/**
 * Removes files without a row: what a crash left between rename and row. Goes shard by shard behind the serving, never
 * at start, and spares what was published while it walks: `isFilling` is asked last.
 */
export async function sweepContent(
  content: ContentStore,
  index: ContentIndex,
  isFilling: (digest: string) => boolean,
  pace: Pace,
): Promise<SweepResult> {
  let checkedFiles = 0;
  let removedFiles = 0;
  for (const shard of await content.shards()) {
    for (const name of await content.list(shard)) {
      if (pace.signal.aborted) return { checkedFiles, removedFiles };
      const digest = parseDigest(name);
      checkedFiles++;
      if (digest === undefined || isFilling(digest) || (await index.blob(digest)) !== undefined || isFilling(digest))
        continue;
      await content.remove(digest);
      removedFiles++;
    }
    await pace.pause();
  }
  return { checkedFiles, removedFiles };
}
