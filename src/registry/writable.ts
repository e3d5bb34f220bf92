import type { Digest } from "../reference/digest.ts";
import type { Repository, Tag } from "../reference/repository.ts";
import type { Answer, BlobStream, CallLimits, Page, RemoteRegistry, Unavailable } from "./remote.ts";

/** A blob to be put into a repository. */
export interface BlobToPush {
  readonly digest: Digest;
  readonly sizeBytes: number;
  /** Repositories of the same registry that have it, to mount it from; tried in order. */
  readonly mountFrom: readonly Repository[];
  /**
   * Opens its bytes from an offset on, within limits of its own; asked again when they break, or when the target must be sent a part once
   * more, which is read from up to 4 MiB (or 1/256 of the blob) before it.
   */
  open(startByte: number): Promise<Answer<BlobStream>>;
  /**
   * Told of bytes as they are sent, or once all are there where the runtime hands the source's own body on; negative when a part has
   * to be sent again, so that the sum is what is there.
   */
  onSent?(sizeBytes: number): void;
}

/**
 * What a push of a blob came to. `unavailable` is the target's answer, or what `open` answered, or `wrong-bytes` where the source's are not
 * the digest's. A repository that has to be made first is status 404 with the code `NAME_UNKNOWN`, before a byte
 * of the source is read.
 */
export type PushedBlob =
  /** `sentBytes` counts twice what was sent twice. */
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
  /**
   * Sends a blob unless it can be mounted; goes on after a dropped connection from where the registry says it is. The time of `limits` is
   * each answer's; while bytes flow there is none, but a registry that takes nothing for 60 s counts as lost.
   */
  pushBlob(repository: Repository, blob: BlobToPush, limits: CallLimits): Promise<PushedBlob>;
  /** Puts it as it is. Never absent: a 404 is something that it needs, and the code says what. */
  putManifest(
    repository: Repository,
    reference: Tag | Digest,
    manifest: ManifestToPush,
    limits: CallLimits,
  ): Promise<Answer<PushedManifest>>;
  /** Absent: it is not there. A registry that does not delete answers `unavailable` with its status. */
  deleteManifest(repository: Repository, reference: Tag | Digest, limits: CallLimits): Promise<Answer<object>>;
  /** A page of the names of repositories as the registry has them, where it has such a list. `query` is reduced to `n`, `last`. */
  listRepositories(query: string, limits: CallLimits): Promise<Answer<Page>>;
}
