import type { Digest } from "../reference/digest.ts";
import type { Repository, Tag } from "../reference/repository.ts";
import type { ManifestRow } from "./content-index.ts";

/** A blob of one of our own repositories. */
export interface HostedBlob {
  readonly digest: Digest;
  readonly sizeBytes: number;
  /** When it was last promised to somebody: pushed, mounted, or answered for. Milliseconds since the epoch. */
  readonly leasedAtMs: number;
}

/** A blob as walks show it. */
export interface HostedMember extends HostedBlob {
  readonly repository: Repository;
}

/** A tag to be set. One that is immutable is set if it is not there, or is this manifest's already. */
interface HostedTag {
  readonly name: Tag;
  readonly isImmutable: boolean;
}

/** What has to be in a repository for a manifest to be kept there. */
export interface HostedNeed {
  readonly digest: Digest;
  /** A manifest's config and layers are blobs; an index may name manifests and blobs. */
  readonly as: "blob" | "either";
}

/** A manifest to be kept in one of our own repositories, with all that it means there. */
export interface HostedManifest extends ManifestRow {
  /** What has to be in the repository already. */
  readonly needs: readonly HostedNeed[];
  /** Everything that it names, needed or not: none of that is collected while it is there. */
  readonly parts: readonly Digest[];
  readonly tags: readonly HostedTag[];
  readonly refersTo:
    | { readonly subject: Digest; readonly artifactType: string; readonly descriptor: string }
    | undefined;
}

/** What came of keeping a manifest. */
export type AddedManifest =
  | { readonly kind: "added" }
  /** Something that it needs is not in the repository. Nothing was kept. */
  | { readonly kind: "missing"; readonly digest: Digest }
  /** An immutable tag is another manifest's already. Nothing was kept. */
  | { readonly kind: "immutable"; readonly tag: Tag };

/** What refers to a manifest: the descriptor as it is listed, in JSON. */
export interface Referrer {
  readonly digest: Digest;
  readonly descriptor: string;
}

/** That content belongs to a repository, and what keeps it there. */
export interface HostedUse {
  readonly repository: Repository;
  readonly kind: "blob" | "manifest";
  readonly leasedAtMs: number;
  readonly namedBy: readonly Digest[];
  readonly tags: readonly Tag[];
}

/** Which referrers are wanted: those behind one, by digest. */
export interface ReferrerQuery {
  readonly subject: Digest;
  readonly artifactType: string | undefined;
  readonly after: string;
  readonly limit: number;
}

/**
 * Our own repositories: which content belongs to which. Every write is on the disk when its promise resolves, so that what was
 * acknowledged survives a power cut. Failures are thrown as `STORAGE_FAILED`.
 */
export interface HostedIndex {
  blob(repository: Repository, digest: Digest): Promise<HostedBlob | undefined>;
  manifest(repository: Repository, digest: Digest): Promise<ManifestRow | undefined>;
  tagged(repository: Repository, tag: Tag): Promise<ManifestRow | undefined>;
  /** Tags after one in the order of their bytes. */
  tags(repository: Repository, after: string, limit: number): Promise<readonly Tag[]>;
  tagsOf(repository: Repository, digest: Digest): Promise<readonly Tag[]>;
  /** Names of repositories that hold anything, after one, in the order of their bytes. */
  repositories(after: string, limit: number): Promise<readonly Repository[]>;
  has(repository: Repository): Promise<boolean>;
  /** Repositories that have a blob, a few of them. */
  repositoriesWith(digest: Digest, limit: number): Promise<readonly Repository[]>;
  /** What is in the repository and refers to a digest. */
  referrers(repository: Repository, query: ReferrerQuery): Promise<readonly Referrer[]>;

  /** Says that a blob whose bytes are published belongs to the repository. */
  addBlob(repository: Repository, blob: HostedBlob): Promise<void>;
  /** The same for a blob that is held; false when it is not any more. */
  mountBlob(repository: Repository, digest: Digest, leasedAtMs: number): Promise<boolean>;
  /** Renews the promise that a blob is there; false when it is not any more. */
  lease(repository: Repository, digest: Digest, leasedAtMs: number): Promise<boolean>;
  addManifest(repository: Repository, manifest: HostedManifest, atMs: number): Promise<AddedManifest>;
  /** True when it was there. */
  removeTag(repository: Repository, tag: Tag): Promise<boolean>;
  /** Takes a manifest out of the repository, with its tags there. False when it was not there, or has a tag that is not named. */
  removeManifest(repository: Repository, digest: Digest, tags: readonly Tag[]): Promise<boolean>;
  /** Takes a blob out of the repository. True when it was there. */
  removeBlob(repository: Repository, digest: Digest): Promise<boolean>;

  /** Where a digest belongs, a few of the places: with the manifests there that name it, a few of them, and its tags. */
  uses(digest: Digest, limit: number): Promise<readonly HostedUse[]>;
  /** Blobs of repositories after one, by repository and digest, for walks that go on where they stopped. */
  blobsAfter(cursor: HostedMember | undefined, limit: number): Promise<readonly HostedMember[]>;
  /** Takes a blob out of the repository unless it was promised since, or a manifest there names it. True when it went. */
  collectBlob(repository: Repository, digest: Digest, leasedBeforeMs: number): Promise<boolean>;
  /** Blobs that nothing belongs to any more, after one in digest order. */
  orphansAfter(digest: string, limit: number): Promise<readonly Digest[]>;
  /** Takes the row of a blob away that nothing, here or in the cache, belongs to any more. True when it went: its file may go. */
  forgetBlob(digest: Digest): Promise<boolean>;
}
