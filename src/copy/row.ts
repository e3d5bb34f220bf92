import type { Digest } from "../reference/digest.ts";
import type { CopyFailure } from "./failure.ts";

/** What an image came to be made of at its target, its referrers included. */
interface CopyFigures {
  readonly manifests: { readonly put: number; readonly there: number };
  readonly blobs: { readonly sent: number; readonly mounted: number; readonly there: number };
  /** Of all blobs that were looked at. */
  readonly sizeBytes: number;
  readonly sentBytes: number;
  /** Signatures, attestations, SBOMs that are at the target. */
  readonly referrers: number;
}

/**
 * What became of one image. `copied`: its name stands for it at the target, where `incomplete` says what of its referrers is not
 * there. `skipped`: nothing was to be done, or nothing was allowed.
 */
export interface CopyRow {
  readonly source: string;
  readonly target: string;
  readonly status: "copied" | "failed" | "skipped";
  /** What the target's name stands for. */
  readonly digest: Digest | undefined;
  /** What it stood for before, when that was something else. */
  readonly replaced: Digest | undefined;
  readonly why: string | undefined;
  /** The first of them says why it failed. */
  readonly failures: readonly CopyFailure[];
  readonly incomplete: readonly string[];
  readonly warnings: readonly string[];
  readonly figures: CopyFigures;
}

/** Counts up the figures of one image. */
export class FigureCount implements CopyFigures {
  readonly manifests = { put: 0, there: 0 };
  readonly blobs = { sent: 0, mounted: 0, there: 0 };
  sizeBytes = 0;
  sentBytes = 0;
  referrers = 0;
}
