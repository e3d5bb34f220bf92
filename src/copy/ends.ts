import type { Descriptor } from "../manifest/manifest.ts";
import type { Digest } from "../reference/digest.ts";
import type { Repository, Tag } from "../reference/repository.ts";
import type {
  Answer,
  BlobHead,
  BlobStream,
  ByteRange,
  CallLimits,
  ManifestBody,
  ManifestHead,
} from "../registry/remote.ts";
import type { BlobToPush, ManifestToPush, PushedBlob, PushedManifest } from "../registry/writable.ts";

/** What is known of the images at one end of a copy: a repository of a registry, an image layout, an archive. */
interface ImageEnd {
  /** How people name it: `registry.k8s.io/pause`, `oci:DIR`. */
  readonly name: string;
  headManifest(reference: Tag | Digest, limits: CallLimits): Promise<Answer<ManifestHead>>;
  getManifest(reference: Tag | Digest, limits: CallLimits): Promise<Answer<ManifestBody>>;
  /** Every tag. Absent: there is no such repository. */
  listTags(limits: CallLimits): Promise<Answer<{ readonly tags: readonly Tag[] }>>;
  /** What the referrers API, or an index that stands for it, lists; absent where there is no such list. `tags` are all there are, if known. */
  listReferrers(
    digest: Digest,
    limits: CallLimits,
    tags?: ReadonlySet<Tag>,
  ): Promise<Answer<{ readonly referrers: readonly Descriptor[] }>>;
}

/** Where images are copied from. */
export interface ImageSource extends ImageEnd {
  /** The registry and repository that it is, when it is one: blobs may be mounted from there. */
  readonly place: { readonly registry: string; readonly repository: Repository } | undefined;
  getBlob(digest: Digest, range: ByteRange, limits: CallLimits): Promise<Answer<BlobStream>>;
}

/** Where images are copied to. It never overwrites what it does not put itself. */
export interface ImageTarget extends ImageEnd {
  readonly place: { readonly registry: string; readonly repository: Repository } | undefined;
  headBlob(digest: Digest, limits: CallLimits): Promise<Answer<BlobHead>>;
  pushBlob(blob: BlobToPush, limits: CallLimits): Promise<PushedBlob>;
  putManifest(reference: Tag | Digest, manifest: ManifestToPush, limits: CallLimits): Promise<Answer<PushedManifest>>;
  deleteManifest(reference: Tag | Digest, limits: CallLimits): Promise<Answer<object>>;
  /** Makes what was put last: an archive is written out, an index of a layout renamed into place. */
  close(): Promise<void>;
}
