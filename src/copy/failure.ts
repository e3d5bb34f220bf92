import { asFailure } from "../errors/failure.ts";
import type { Unavailable, UnavailableReason } from "../registry/remote.ts";

/** Of what kind a failure is, for programs: what an end answered, or what is wrong with the image. */
type CopyFailureKind =
  | UnavailableReason
  /** The source does not have the image. */
  | "absent"
  /** The source has the image and not all that it names. */
  | "missing"
  /** A manifest that cannot be relied on, or of a kind that is not copied. */
  | "manifest"
  /** A platform was asked for that it does not have. */
  | "platform"
  /** Another image goes to the same name. */
  | "conflict"
  /** A file could not be read or written. */
  | "storage";

/** Why an image, or a part of it, could not be copied. */
export interface CopyFailure {
  readonly kind: CopyFailureKind;
  /** Where; neither when it is a matter of the image itself. */
  readonly side: "source" | "target" | undefined;
  readonly message: string;
}

/** An answer that gave no knowledge, as a failure of one side. */
export function failureOf({ reason, message }: Unavailable, side: "source" | "target"): CopyFailure {
  return { kind: reason, side, message };
}

/** What an end threw because its files could not be read or written. */
export function thrownFailure(error: unknown): CopyFailure {
  return { kind: "storage", side: undefined, message: asFailure(error, "STORAGE_FAILED", "cannot go on").message };
}

const ofTheImage: ReadonlySet<CopyFailureKind> = new Set(["absent", "conflict", "manifest", "missing", "platform"]);

/** True where an end gave no knowledge, so that asking later may come to something. */
export function isNoKnowledge({ kind }: CopyFailure): boolean {
  return !ofTheImage.has(kind);
}
