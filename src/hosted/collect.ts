import type { Digest } from "../reference/digest.ts";
import type { Repository } from "../reference/repository.ts";
import type { ContentStore } from "../store/content.ts";
import type { HostedIndex, HostedMember } from "../store/hosted-index.ts";
import type { Uploads } from "./uploads.ts";

/** What a collection works on. */
export interface CollectionParts {
  readonly index: HostedIndex;
  readonly content: Pick<ContentStore, "alone" | "remove" | "stat">;
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

/** One thing that no manifest names: a blob of a repository, or the bytes of one that belongs to nothing any more. */
export type Collectable =
  | { readonly kind: "blob"; readonly repository: Repository; readonly digest: Digest }
  | { readonly kind: "file"; readonly digest: Digest; readonly sizeBytes: number };

/** What was taken away. */
export interface Collected {
  /** Blobs that were taken out of a repository, each repository counted. */
  readonly blobs: number;
  /** Files whose last use that was, or an earlier removal. */
  readonly files: number;
  readonly uploads: number;
}

/** What is decided on at once: the index writes it together, which costs one trip to the disk for all. */
const pageRows = 200;
const filesAtOnce = 32;
const usesMax = 1000;

/**
 * Takes away what no manifest names: blobs whose lease is over, and uploads that nobody goes on with. Pushes go on meanwhile:
 * the index decides each removal by itself, against what was promised since.
 */
export async function collectHosted(
  parts: CollectionParts,
  times: CollectionTimes,
  signal: AbortSignal,
): Promise<Collected> {
  const counts = { blob: 0, file: 0 };
  for await (const { kind } of collectSteps(parts, { ...times, dryRun: false }, signal)) counts[kind]++;
  const swept = signal.aborted ? 0 : await parts.uploads.sweep(parts.nowMs() - times.uploadMs);
  return { blobs: counts.blob, files: counts.file, uploads: swept };
}

/** The same step by step, without uploads; in a dry run nothing goes, and bytes are not spoken of, since nothing lost its last use. */
export async function* collectSteps(
  { index, content, nowMs }: Omit<CollectionParts, "uploads">,
  { leaseMs, dryRun }: { readonly leaseMs: number; readonly dryRun: boolean },
  signal: AbortSignal,
): AsyncGenerator<Collectable, void, void> {
  const leasedBeforeMs = nowMs() - leaseMs;
  const collected = async ({ repository, digest, leasedAtMs }: HostedMember): Promise<boolean> => {
    if (leasedAtMs >= leasedBeforeMs) return false;
    return dryRun ? isUnnamed(index, repository, digest) : index.collectBlob(repository, digest, leasedBeforeMs);
  };
  for await (const members of pages<HostedMember>((last) => index.blobsAfter(last, pageRows), pageRows, signal)) {
    const goes = await Promise.all(members.map(collected));
    for (const [i, { repository, digest }] of members.entries())
      if (goes[i]) yield { kind: "blob", repository, digest };
  }
  const forgotten = (digest: Digest): Promise<boolean> =>
    content.alone(digest, async () => {
      if (dryRun) return true;
      if (!(await index.forgetBlob(digest))) return false;
      await content.remove(digest);
      return true;
    });
  for await (const digests of pages<Digest>(
    (last) => index.orphansAfter(last ?? "", filesAtOnce),
    filesAtOnce,
    signal,
  )) {
    const sizes = await Promise.all(digests.map((digest) => content.stat(digest)));
    const goes = await Promise.all(digests.map(forgotten));
    for (const [i, digest] of digests.entries()) if (goes[i]) yield { kind: "file", digest, sizeBytes: sizes[i] ?? 0 };
  }
}

async function isUnnamed(index: HostedIndex, repository: Repository, digest: Digest): Promise<boolean> {
  const uses = await index.uses(digest, usesMax);
  return uses.some((use) => use.repository === repository && use.kind === "blob" && use.namedBy.length === 0);
}

/** Pages of a walk, one after the other. */
async function* pages<Row>(
  pageAfter: (last: Row | undefined) => Promise<readonly Row[]>,
  rows: number,
  signal: AbortSignal,
): AsyncGenerator<readonly Row[], void, void> {
  let last: Row | undefined;
  while (!signal.aborted) {
    const page = await pageAfter(last);
    yield page;
    last = page.at(-1);
    if (page.length < rows) return;
  }
}
