import type { CopyFailure } from "../copy/failure.ts";
import type { ImageSource } from "../copy/ends.ts";
import type { Digest } from "../reference/digest.ts";
import type { Tag } from "../reference/repository.ts";

/** What was asked for: an image, or every tag of a repository. */
export interface WantedImage {
  readonly source: ImageSource;
  readonly reference: Tag | Digest | "every tag";
}

/** A blob that images name. */
export interface WantedBlob {
  readonly digest: Digest;
  readonly sizeBytes: number;
  /** Repositories that name it, in the order they were given; it is read from one of the first. */
  readonly sources: readonly ImageSource[];
}

/** A row of an image that nothing more is known of than why. */
export function lostImage(name: string, failure: CopyFailure): FillImage {
  return { name, digest: undefined, blobs: [], sizeBytes: 0, failure, warnings: [] };
}

/** An image as it was read: what of it belongs into buckets, or why nothing is known of that. */
export interface FillImage {
  readonly name: string;
  readonly digest: Digest | undefined;
  /** Its configs and layers, each once. */
  readonly blobs: readonly Digest[];
  readonly sizeBytes: number;
  readonly failure: CopyFailure | undefined;
  /** What people should know of it. */
  readonly warnings: readonly string[];
}
