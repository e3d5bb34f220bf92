import type { Digest } from "../reference/digest.ts";
import type { Repository, Tag } from "../reference/repository.ts";
import type { Answer, BlobStream, CallLimits, Page, RemoteRegistry, Unavailable } from "./remote.ts";

/** A blob to be put into a repository. */
export interface BlobToPush {
  readonly digest: Digest;
  readonly sizeBytes: number;
  /** Repositories of the same registry that have it, to mount it from; tried in order. */
  readonly mountFrom: readonly Repository[];
  /** Opens its bytes from an offset on; asked again when the target must be sent a part once more. */
  open(startByte: number): Promise<Answer<BlobStream>>;
  /** Told of bytes as they are sent; negative when a part has to be sent again. */
  onSent?(sizeBytes: number): void;
}

/** What a push of a blob came to. `unavailable` says whose fault it is: the target's answer, or what `open` answered. */
export type PushedBlob =
  | { readonly kind: "pushed"; readonly sentBytes: number }
  | { readonly kind: "mounted" }
  /** The source does not have it. */
  | { readonly kind: "absent" }
  | Unavailable;

/** A manifest to be put, verbatim. */
export interface ManifestToPush {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly mediaType: string;
  readonly digest: Digest;
}

/** What a registry says of a manifest that it took. `subject` says that it keeps a referrers list (`OCI-Subject`). */
export interface PushedManifest {
  readonly subject: Digest | undefined;
}

/** One remote registry, to push to as well. OCI distribution spec v1.1, "Push" and "Content Management". */
export interface WritableRegistry extends RemoteRegistry {
  /** Sends a blob unless it can be mounted; goes on after a dropped connection from where the registry says it is. */
  pushBlob(repository: Repository, blob: BlobToPush, limits: CallLimits): Promise<PushedBlob>;
  putManifest(
    repository: Repository,
    reference: Tag | Digest,
    manifest: ManifestToPush,
    limits: CallLimits,
  ): Promise<Answer<PushedManifest>>;
  /** Absent: it is not there. A registry that does not delete answers `unavailable` with its status. */
  deleteManifest(repository: Repository, reference: Tag | Digest, limits: CallLimits): Promise<Answer<object>>;
  /** A page of the names of repositories, where there is such a list. `query` is reduced to `n`, `last`. */
  listRepositories(query: string, limits: CallLimits): Promise<Answer<Page>>;
}
