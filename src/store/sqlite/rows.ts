import type { Digest } from "../../reference/digest.ts";
import type { RegistryHost } from "../../reference/host.ts";
import type { Repository, Tag } from "../../reference/repository.ts";
import type { BlobRow, HeldPage, HeldTag, Link, ManifestRow, PageRow, Place, TagRow } from "../content-index.ts";
import type { HostedBlob, HostedMember } from "../hosted-index.ts";

/** A row of `blobs`. */
export interface RawBlob {
  readonly digest: string;
  readonly size: number;
  readonly rule: string;
  readonly pulled_at: number;
}

/** A row of `manifests`. */
export interface RawManifest {
  readonly digest: string;
  readonly media_type: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A row of `tags`, with whether its manifest is held. */
export interface RawTag {
  readonly upstream: string;
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
  readonly media_type: string | null;
  readonly size: number | null;
  readonly checked_at: number;
  readonly held: number;
}

/** A row of `pages`. */
export interface RawPage {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly media_type: string;
  readonly next_query: string | null;
  readonly filters_applied: string | null;
  readonly checked_at: number;
}

/** A row of `links`, with whether its content is held. */
export interface RawLink {
  readonly upstream: string;
  readonly repository: string;
  readonly digest: string;
  readonly held: number;
}

/** A row of `pages` with the size in place of the bytes. */
export interface RawHeldPage {
  readonly upstream: string;
  readonly repository: string;
  readonly key: string;
  readonly size: number;
  readonly checked_at: number;
}

// The casts below give back the brands that the parsers gave before these values were written.

/** A blob of a row. */
export function toBlob(raw: RawBlob): BlobRow {
  return { digest: raw.digest as Digest, sizeBytes: raw.size, ruleId: raw.rule, pulledAtMs: raw.pulled_at };
}

/** A manifest of a row. */
export function toManifest(raw: RawManifest): ManifestRow {
  return { digest: raw.digest as Digest, mediaType: raw.media_type, bytes: raw.bytes };
}

/** A tag of a row. */
export function toTag(raw: RawTag): TagRow {
  return {
    tag: raw.tag as Tag,
    digest: raw.digest as Digest,
    mediaType: raw.media_type ?? undefined,
    sizeBytes: raw.size ?? undefined,
    checkedAtMs: raw.checked_at,
  };
}

/** A tag with its place of a row. */
export function toHeldTag(raw: RawTag): HeldTag {
  return { ...toTag(raw), place: toPlace(raw), held: raw.held === 1 };
}

/** The place of a row. */
export function toPlace(raw: { readonly upstream: string; readonly repository: string }): Place {
  return { upstream: raw.upstream as RegistryHost, repository: raw.repository as Repository };
}

/** A page of a row. */
export function toPage(raw: RawPage): PageRow {
  return {
    bytes: raw.bytes,
    mediaType: raw.media_type,
    nextQuery: raw.next_query ?? undefined,
    filtersApplied: raw.filters_applied ?? undefined,
    checkedAtMs: raw.checked_at,
  };
}

/** A link of a row. */
export function toLink(raw: RawLink): Link {
  return { place: toPlace(raw), digest: raw.digest as Digest, held: raw.held === 1 };
}

/** A page without its bytes of a row. */
export function toHeldPage(raw: RawHeldPage): HeldPage {
  return { place: toPlace(raw), key: raw.key, sizeBytes: raw.size, checkedAtMs: raw.checked_at };
}

/** A row of `members` that is a blob, with its size. */
export interface RawMember {
  readonly repository: string;
  readonly digest: string;
  readonly size: number;
  readonly leased_at: number;
}

/** A blob of our own of a row. */
export function toHostedBlob(raw: RawMember): HostedBlob {
  return { digest: raw.digest as Digest, sizeBytes: raw.size, leasedAtMs: raw.leased_at };
}

/** A blob of our own, with its repository, of a row. */
export function toHostedMember(raw: RawMember): HostedMember {
  return { ...toHostedBlob(raw), repository: raw.repository as Repository };
}
