import type { Digest } from "../reference/digest.ts";
import type { ContentStore } from "../store/content.ts";
import type { HostedIndex, HostedMember } from "../store/hosted-index.ts";
import type { Uploads } from "./uploads.ts";

/** What a collection works on. */
export interface CollectionParts {
  readonly index: HostedIndex;
  readonly content: Pick<ContentStore, "alone" | "remove">;
  readonly uploads: Pick<Uploads, "sweep">;
  readonly nowMs: () => number;
}

/** Times after which things are nobody's. */
export interface CollectionTimes {
  /** How long a blob that was pushed, mounted or answered for waits for its manifest. */
  readonly leaseMs: number;
  /** How long an upload that nobody writes to waits. */
  readonly uploadMs: number;
}

/** Both a day: a push may take hours. */
export const collectionTimes: CollectionTimes = { leaseMs: 24 * 3_600_000, uploadMs: 24 * 3_600_000 };

/** What was taken away. */
export interface Collected {
  /** Blobs that were taken out of a repository, each repository counted. */
  readonly blobs: number;
  /** Files whose last use that was, or an earlier removal. */
  readonly files: number;
  readonly uploads: number;
}

const pageRows = 200;

/**
 * Takes away what no manifest names: blobs whose lease is over, and uploads that nobody goes on with. Pushes go on meanwhile:
 * the index decides each removal by itself, against what was promised since.
 */
export async function collectHosted(
  { index, content, uploads, nowMs }: CollectionParts,
  { leaseMs, uploadMs }: CollectionTimes,
  signal: AbortSignal,
): Promise<Collected> {
  const leasedBeforeMs = nowMs() - leaseMs;
  let [blobs, files] = [0, 0];
  const members = pages<HostedMember>((last) => index.blobsAfter(last, pageRows), signal);
  for await (const { repository, digest, leasedAtMs } of members) {
    if (leasedAtMs < leasedBeforeMs && (await index.collectBlob(repository, digest, leasedBeforeMs))) blobs++;
  }
  for await (const digest of pages<Digest>((last) => index.orphansAfter(last ?? "", pageRows), signal)) {
    await content.alone(digest, async () => {
      if (!(await index.forgetBlob(digest))) return;
      await content.remove(digest);
      files++;
    });
  }
  return { blobs, files, uploads: signal.aborted ? 0 : await uploads.sweep(nowMs() - uploadMs) };
}

async function* pages<Row>(
  pageAfter: (last: Row | undefined) => Promise<readonly Row[]>,
  signal: AbortSignal,
): AsyncGenerator<Row, void, void> {
  let last: Row | undefined;
  while (!signal.aborted) {
    const page = await pageAfter(last);
    yield* page;
    last = page.at(-1);
    if (page.length < pageRows) return;
  }
}
