import { algorithmOf, type Digest, parseDigest } from "../reference/digest.ts";
import { type Clock, pause } from "../registry/clock.ts";
import type { CallLimits, Unavailable } from "../registry/remote.ts";
import { unavailable } from "../registry/unavailable.ts";
import type { S3Bucket } from "../s3/bucket.ts";
import { listPages } from "../s3/list.ts";
import { HeadAsking } from "./head-asking.ts";
import { isListCheaper, mayList } from "./listing-cost.ts";
import type { BlobPut, BlobTarget, Holdings, SpooledBlob } from "./target.ts";

/** What is under a digest never changes. */
const cacheControl = "public, max-age=31536000, immutable";
const answerMs = 60_000;
/** What a put may take: a minute, and a second for each of these bytes. */
const slowestBytesPerS = 256 * 1024;
const listedMax = 50_000_000;
/** A store that is busy or gone is tried again after these, or after what it asks for if that is longer. */
const retriesMs: readonly number[] = [2000, 8000, 32_000];
const longestPauseMs = 120_000;

/** An S3 bucket as a target: one object a blob, at `PREFIX/sha256:HEX`. */
export function s3Target(bucket: S3Bucket, clock: Clock): BlobTarget {
  return {
    name: bucket.name,
    held: (wanted, signal) => heldIn(bucket, wanted, { signal, timeoutMs: answerMs }),
    put: (blob, signal) => putPatiently(bucket, blob, { clock, signal }),
    open: (digest, startByte, limits) => bucket.get(digest, { startByte, endByte: undefined }, limits),
    async remove(digest, signal) {
      const answer = await bucket.delete([digest], { signal, timeoutMs: answerMs });
      return answer.kind === "deleted" ? { kind: "removed" } : answer;
    },
  };
}

async function heldIn(bucket: S3Bucket, wanted: readonly Digest[], limits: CallLimits): Promise<Holdings> {
  const asking = new HeadAsking();
  const sizes = new Map<Digest, number>();
  let lists = 0;
  for (const [algorithm, digests] of Map.groupBy(wanted, algorithmOf)) {
    const listing = mayList(digests.length) ? await listed(bucket, `${algorithm}:`, digests, limits) : undefined;
    lists += listing?.pages ?? 0;
    for (const [digest, sizeBytes] of listing?.sizes ?? []) sizes.set(digest, sizeBytes);
    if (listing?.isWhole === true) continue;
    const left = digests.filter((digest) => !sizes.has(digest));
    await asking.ask(left, (digest) => bucket.head(digest, limits));
  }
  for (const [digest, sizeBytes] of asking.sizes) sizes.set(digest, sizeBytes);
  return { sizes, unknown: asking.unknown, failure: asking.failure, asked: { lists, heads: asking.heads } };
}

interface Listing {
  readonly sizes: ReadonlyMap<Digest, number>;
  readonly pages: number;
  /** True when the list came to its end: what is not in it is not there. */
  readonly isWhole: boolean;
}

/** What a list says of some blobs, as far as it is worth going through. One that may not be listed is asked one by one. */
async function listed(
  bucket: S3Bucket,
  prefix: string,
  wanted: readonly Digest[],
  limits: CallLimits,
): Promise<Listing> {
  const sizes = new Map<Digest, number>();
  const digests = new Set(wanted);
  let pages = 0;
  for await (const page of listPages(bucket, { prefix, maxObjects: listedMax }, limits)) {
    pages++;
    if (page.kind === "unavailable") return { sizes, pages, isWhole: false };
    for (const { key, sizeBytes } of page.objects) {
      const digest = parseDigest(key);
      if (digest !== undefined && digests.has(digest)) sizes.set(digest, sizeBytes);
    }
    const lastKey = page.objects.at(-1)?.key ?? "";
    const isLast = page.next === undefined;
    if (!isLast && !isListCheaper({ pages, lastKey, left: digests.size - sizes.size })) {
      return { sizes, pages, isWhole: false };
    }
  }
  return { sizes, pages, isWhole: true };
}

async function putPatiently(
  bucket: S3Bucket,
  blob: SpooledBlob,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<BlobPut> {
  let answer = await put(bucket, blob, signal);
  for (const retryMs of retriesMs) {
    if (answer.kind !== "unavailable" || !isPassing(answer)) return answer;
    const pauseMs = Math.max(retryMs, answer.retryAfterMs ?? 0);
    if (pauseMs > longestPauseMs) return answer;
    await pause(clock, pauseMs, signal);
    if (signal.aborted) return answer;
    answer = await put(bucket, blob, signal);
  }
  return answer;
}

async function put(bucket: S3Bucket, { digest, sizeBytes, path }: SpooledBlob, signal: AbortSignal): Promise<BlobPut> {
  const timeoutMs = answerMs + (sizeBytes / slowestBytesPerS) * 1000;
  const object = { key: digest, digest, sizeBytes, source: { kind: "file", path }, cacheControl } as const;
  const answer = await bucket.put(object, { signal, timeoutMs });
  if (answer.kind !== "absent") return answer;
  return unavailable("failed", `PUT of ${bucket.name}/${digest}: the temporary file of it is gone`);
}

function isPassing({ reason, status }: Unavailable): boolean {
  if (reason === "failed") return status === undefined || status === 409 || status === 429 || status >= 500;
  return reason === "rate-limited" || reason === "timeout" || reason === "unreachable" || reason === "breaker-open";
}
