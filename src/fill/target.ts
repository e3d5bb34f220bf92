import type { Digest } from "../reference/digest.ts";
import type { Answer, BlobStream, CallLimits, Unavailable } from "../registry/remote.ts";

/** What a target says it holds of the blobs that it was asked for. */
export interface Holdings {
  /** What is there, by its size. A blob in neither this nor `unknown` is not there. */
  readonly sizes: ReadonlyMap<Digest, number>;
  /** What it gave no word about. */
  readonly unknown: ReadonlySet<Digest>;
  /** Why, the first time. */
  readonly failure: Unavailable | undefined;
  /** How often it was asked: pages of lists, and single blobs. */
  readonly asked: { readonly lists: number; readonly heads: number };
}

/** A blob in a file of this machine, whose bytes were hashed. */
export interface SpooledBlob {
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly path: string;
}

/** What a put came to. Another object under the name is `unavailable` with status 412. */
export type BlobPut = { readonly kind: "put" } | { readonly kind: "already-there" } | Unavailable;

/**
 * A place of blobs by their digests, which redirects lead to: `NAME/sha256:HEX`. A blob is there whole or not at all, and what is there
 * is never overwritten. Every method answers; none throws for what a store or a disk does.
 */
export interface BlobTarget {
  /** As people know it: `s3://BUCKET/PREFIX`, a folder. */
  readonly name: string;
  /** What it holds of these. */
  held(wanted: readonly Digest[], signal: AbortSignal): Promise<Holdings>;
  put(blob: SpooledBlob, signal: AbortSignal): Promise<BlobPut>;
  /** The bytes as it has them, from an offset on. */
  open(digest: Digest, startByte: number, limits: CallLimits): Promise<Answer<BlobStream>>;
  /** Takes away what turned out to be other bytes. What is not there counts as taken away. */
  remove(digest: Digest, signal: AbortSignal): Promise<{ readonly kind: "removed" } | Unavailable>;
}
