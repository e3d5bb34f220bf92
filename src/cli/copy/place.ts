import type { ImageSource, ImageTarget } from "../../copy/ends.ts";
import type { SpelledEnd } from "../../copy/spelling.ts";
import { Failure } from "../../errors/failure.ts";
import type { RepositoryName } from "../../layout/image-name.ts";
import type { Digest } from "../../reference/digest.ts";
import type { Tag } from "../../reference/repository.ts";

/** All of a repository, to copy from. */
export interface RepositoryPlace {
  readonly source: ImageSource;
  /** Its name, for targets that keep full names. */
  readonly within: RepositoryName | undefined;
}

/** An image to copy from. */
export interface SourcePlace extends RepositoryPlace {
  /** What the person named; the digest where both stand there. */
  readonly reference: Tag | Digest;
  readonly tag: Tag | undefined;
}

/** Where to copy to. */
export interface TargetPlace {
  readonly target: ImageTarget;
  /** The tag that the person named. */
  readonly tag: Tag | undefined;
  /** The repository under whose name it is written. */
  readonly within: RepositoryName | undefined;
}

/** A folder or an archive. */
export type FileEnd = Exclude<SpelledEnd, { readonly kind: "registry" }>;

/** The failure that something was typed wrongly. */
export function usage(message: string): Failure {
  return new Failure({ code: "USAGE", message });
}
