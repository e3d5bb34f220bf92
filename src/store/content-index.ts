import type { Digest } from "../reference/digest.ts";
import type { RegistryHost } from "../reference/host.ts";
import type { Repository, Tag } from "../reference/repository.ts";

/** A repository of an upstream: the unit of permission. A digest that was not seen here is not served here. */
export interface Place {
  readonly upstream: RegistryHost;
  readonly repository: Repository;
}

/** A blob whose bytes are on disk. Times are milliseconds since the epoch. */
export interface BlobRow {
  readonly digest: Digest;
  readonly sizeBytes: number;
  /** The rule whose quota it counts against. */
  readonly ruleId: string;
  readonly pulledAtMs: number;
}

/** A manifest, verbatim. */
export interface ManifestRow {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What a tag was when it was last checked with its upstream. */
export interface TagRow {
  readonly tag: Tag;
  readonly digest: Digest;
  readonly mediaType: string | undefined;
  readonly sizeBytes: number | undefined;
  readonly checkedAtMs: number;
}

/** A page of a list (tags, referrers) as the upstream wrote it. */
export interface PageRow {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly mediaType: string;
  readonly nextQuery: string | undefined;
  readonly filtersApplied: string | undefined;
  readonly checkedAtMs: number;
}

/** A tag with its place, as lists show it. */
export interface HeldTag extends TagRow {
  readonly place: Place;
  readonly held: boolean;
}

/** That a digest was seen at a place, as walks show it. `held` is false when its content is gone. */
export interface Link {
  readonly place: Place;
  readonly digest: Digest;
  readonly held: boolean;
}

/** A held page without its bytes, as walks show it. */
export interface HeldPage {
  readonly place: Place;
  readonly key: string;
  readonly sizeBytes: number;
  readonly checkedAtMs: number;
}

/**
 * What is held and where it was seen. Asynchronous, so that it may be a database elsewhere. Writes are durable in
 * order, not at once: after a power cut the newest may be missing, never torn. Failures are thrown as `STORAGE_FAILED`.
 */
export interface ContentIndex {
  /** The blob, when it is held and was seen at this place. */
  blobAt(place: Place, digest: Digest): Promise<BlobRow | undefined>;
  /** The blob, wherever it was seen; for housekeeping, never to serve from. */
  blob(digest: Digest): Promise<BlobRow | undefined>;
  /** True when a repository of our own has the blob: then it stays, whatever the cache does. */
  isHosted(digest: Digest): Promise<boolean>;
  manifestAt(place: Place, digest: Digest): Promise<ManifestRow | undefined>;
  /** The manifest, wherever it was seen; its place must be proved before it is served. */
  manifest(digest: Digest): Promise<ManifestRow | undefined>;
  tag(place: Place, tag: Tag): Promise<TagRow | undefined>;
  page(place: Place, key: string): Promise<PageRow | undefined>;

  putBlob(place: Place, row: BlobRow): Promise<void>;
  putManifest(place: Place, row: ManifestRow): Promise<void>;
  /** Says that a digest that is held was seen at this place too. */
  link(place: Place, digest: Digest): Promise<void>;
  /** Takes back that a digest was seen at this place, and the tags there that name it. What is held stays. */
  unlink(place: Place, digest: Digest): Promise<void>;
  putTag(place: Place, row: TagRow): Promise<void>;
  removeTag(place: Place, tag: Tag): Promise<void>;
  putPage(place: Place, key: string, row: PageRow): Promise<void>;
  removePage(place: Place, key: string): Promise<void>;
  /** Takes a blob away, wherever it was seen. What a repository of our own has stays, and is only the cache's no more. */
  removeBlob(digest: Digest): Promise<void>;
  removeManifest(digest: Digest): Promise<void>;
  touch(pulls: ReadonlyMap<Digest, number>): Promise<void>;

  /** Bytes held per rule. */
  sizes(): Promise<ReadonlyMap<string, number>>;
  /** The least recently pulled blobs, oldest first, last pulled before `beforeMs`; of one rule or of all. */
  oldest(ruleId: string | undefined, beforeMs: number, limit: number): Promise<readonly BlobRow[]>;
  /** Blobs after a digest in digest order, for walks that go on where they stopped. */
  blobsAfter(digest: string, limit: number): Promise<readonly BlobRow[]>;
  tagsAfter(
    cursor: { readonly place: Place; readonly tag: string } | undefined,
    limit: number,
  ): Promise<readonly HeldTag[]>;
  /** Manifests after a digest in digest order, with their bytes: up to 4 MiB each, so ask for few. */
  manifestsAfter(digest: string, limit: number): Promise<readonly ManifestRow[]>;
  /** Links after one, by upstream, repository and digest. */
  linksAfter(
    cursor: { readonly place: Place; readonly digest: string } | undefined,
    limit: number,
  ): Promise<readonly Link[]>;
  /** Pages after one, by upstream, repository and key. */
  pagesAfter(
    cursor: { readonly place: Place; readonly key: string } | undefined,
    limit: number,
  ): Promise<readonly HeldPage[]>;
  placesOf(digest: Digest): Promise<readonly Place[]>;
  tagsOf(digest: Digest): Promise<readonly HeldTag[]>;
  /** How much is held. */
  counts(): Promise<{ readonly blobs: number; readonly manifests: number; readonly tags: number }>;
  close(): Promise<void>;
}
