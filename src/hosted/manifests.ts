import { type Descriptor, childrenOf, type ManifestDocument, parseManifest } from "../manifest/manifest.ts";
import { bareMediaType, mediaTypes } from "../manifest/media-types.ts";
import { algorithmOf, type Digest, digestFrom, parseDigest } from "../reference/digest.ts";
import type { Repository, Tag } from "../reference/repository.ts";
import type { AddedManifest, HostedIndex, HostedManifest, HostedNeed } from "../store/hosted-index.ts";

/** A manifest as it was sent. */
export interface SentManifest {
  readonly repository: Repository;
  readonly reference: Tag | Digest;
  /** `Content-Type`. */
  readonly contentType: string | null;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Tags that it is to have beside `reference`, if that is one. */
  readonly tags: readonly Tag[];
  readonly isImmutable: (tag: Tag) => boolean;
}

/** What came of a manifest that was sent. */
export type PutManifest =
  | { readonly kind: "added"; readonly digest: Digest; readonly subject: Digest | undefined }
  | { readonly kind: "invalid"; readonly code: "MANIFEST_INVALID" | "DIGEST_INVALID"; readonly reason: string }
  | Exclude<AddedManifest, { readonly kind: "added" }>;

/** Media types that are taken, and what each has to be. */
const kinds: ReadonlyMap<string, ManifestDocument["kind"]> = new Map([
  [mediaTypes.ociManifest, "manifest"],
  [mediaTypes.dockerManifest, "manifest"],
  [mediaTypes.artifactManifest, "manifest"],
  [mediaTypes.ociIndex, "index"],
  [mediaTypes.dockerList, "index"],
]);

/** Checks a manifest and keeps it with its tags. OCI distribution spec v1.1, "Pushing Manifests". */
export async function putManifest(index: HostedIndex, sent: SentManifest, atMs: number): Promise<PutManifest> {
  const { repository, reference, bytes } = sent;
  const document = parseManifest(bytes);
  if (document.kind === "refused") return invalid(document.reason);
  const mediaType = bareMediaType(sent.contentType) ?? document.mediaType ?? defaultTypes[document.kind];
  const contradiction = contradictionIn(document, mediaType);
  if (contradiction !== undefined) return invalid(contradiction);
  const named = parseDigest(reference);
  const digest = digestOf(bytes, named);
  if (named !== undefined && named !== digest) {
    return { kind: "invalid", code: "DIGEST_INVALID", reason: `what was sent has the digest ${digest}` };
  }
  const names = new Set(named === undefined ? [reference as Tag, ...sent.tags] : sent.tags);
  const tags = [...names].map((name) => ({ name, isImmutable: sent.isImmutable(name) }));
  const manifest = { digest, mediaType, bytes, tags, ...relationsOf(document, { digest, mediaType, bytes }) };
  const added = await index.addManifest(repository, manifest, atMs);
  return added.kind === "added" ? { kind: "added", digest, subject: document.subject?.digest } : added;
}

const defaultTypes = { manifest: mediaTypes.ociManifest, index: mediaTypes.ociIndex } as const;

function contradictionIn({ kind, mediaType: said }: ManifestDocument, mediaType: string): string | undefined {
  if (said !== undefined && said !== mediaType) return `it says that it is ${said}, and was sent as ${mediaType}`;
  const wanted = kinds.get(mediaType);
  if (wanted === undefined) return `${mediaType} is no media type of manifests that is kept here`;
  return wanted === kind
    ? undefined
    : `it is ${kind === "index" ? "an index" : "a manifest"}, and was sent as ${mediaType}`;
}

type Relations = Pick<HostedManifest, "needs" | "parts" | "refersTo">;

function relationsOf(
  document: ManifestDocument,
  { digest, mediaType, bytes }: Pick<HostedManifest, "digest" | "mediaType" | "bytes">,
): Relations {
  const children = childrenOf(document);
  const parts = [...new Set(children.map((child) => child.digest))];
  const needed = new Set(children.filter(isNeeded).map((child) => child.digest));
  const needs = [...needed].map((part): HostedNeed => ({ digest: part, as: neededAs[document.kind] }));
  const { subject, annotations } = document;
  if (subject === undefined) return { needs, parts, refersTo: undefined };
  const artifactType = artifactTypeOf(document);
  const descriptor = { mediaType, digest, size: bytes.byteLength, artifactType, annotations };
  return { needs, parts, refersTo: { subject: subject.digest, artifactType, descriptor: JSON.stringify(descriptor) } };
}

/** An index may name blobs as well as manifests: caches of builds do. OCI image spec, image-index.md. */
const neededAs = { manifest: "blob", index: "either" } as const;

/** Layers that their licence keeps out of registries are had from elsewhere. OCI image spec, layer.md. */
function isNeeded({ mediaType }: Descriptor): boolean {
  return !/\.(foreign|nondistributable)\./.test(mediaType);
}

/** OCI distribution spec v1.1, "Listing Referrers". */
function artifactTypeOf(document: ManifestDocument): string {
  return document.artifactType ?? (document.kind === "manifest" ? document.config?.mediaType : undefined) ?? "";
}

function digestOf(bytes: Uint8Array, like: Digest | undefined): Digest {
  const algorithm = like === undefined ? "sha256" : algorithmOf(like);
  return digestFrom(algorithm, new Bun.CryptoHasher(algorithm).update(bytes).digest("hex"));
}

function invalid(reason: string): PutManifest {
  return { kind: "invalid", code: "MANIFEST_INVALID", reason };
}
