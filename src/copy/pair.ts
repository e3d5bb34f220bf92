import type { Digest } from "../reference/digest.ts";
import { parseDigest } from "../reference/digest.ts";
import type { Platform } from "../reference/platform.ts";
import type { Tag } from "../reference/repository.ts";
import type { ImageSource, ImageTarget } from "./ends.ts";

/** One image to be copied. What goes to the same place must have the same target object. */
export interface CopyPair {
  readonly source: ImageSource;
  readonly sourceReference: Tag | Digest;
  readonly target: ImageTarget;
  /** The tag that is to name it; absent: it is put by its digest alone. */
  readonly targetTag: Tag | undefined;
  /** What is wanted of this image other than of the rest. */
  readonly options?: Partial<CopyOptions>;
}

/** What of each image is wanted, and how much is believed without asking. */
export interface CopyOptions {
  /** None: all, and the digest stays what it is. */
  readonly platforms: readonly Platform[];
  /** Whether a choice of several platforms may have an index of its own, which is a new document with a new digest. */
  readonly mayMakeIndex: boolean;
  /** Whether a tag that names something else at the target may be moved. */
  readonly mayOverwrite: boolean;
  /** Signatures, attestations, SBOMs: of no image, of those that are copied, or also of those that are there already. */
  readonly referrers: "none" | "copied" | "all";
  /** `parts`: a manifest that is at the target stands for everything it names. `nothing`: each blob is asked for. */
  readonly trust: "nothing" | "parts";
}

/** An image as people name it, with its tag or digest. */
export function nameAt(end: { readonly name: string }, reference: Tag | Digest | undefined): string {
  if (reference === undefined) return end.name;
  return `${end.name}${parseDigest(reference) === undefined ? ":" : "@"}${reference}`;
}
