import type { ImageSource, ImageTarget } from "../copy/ends.ts";
import { type Descriptor, manifestMaxBytes } from "../manifest/manifest.ts";
import { type Digest, parseDigest } from "../reference/digest.ts";
import type { Tag } from "../reference/repository.ts";
import type { Absent, Answer, BlobStream, ByteRange, CallLimits, Unavailable } from "../registry/remote.ts";
import { absent, answering, unavailable } from "./answers.ts";
import { readDocument } from "./content.ts";
import { formatRepositoryName, isTagOf, isWithin, nameOf, type RepositoryName } from "./image-name.ts";
import { readManifest } from "./manifest-facts.ts";
import type { Shelf } from "./shelf.ts";
import { streamBytes } from "./stream.ts";

/** What sources and targets have in common. */
type ImageEnd = Pick<
  ImageTarget,
  "name" | "place" | "headManifest" | "getManifest" | "headBlob" | "listTags" | "listReferrers"
>;

/** What is on a shelf as the end of a copy; its tags are those of one repository, of all names where none is given. */
export function imageEnd(shelf: Shelf, within: RepositoryName | undefined): ImageEnd {
  const name = within === undefined ? shelf.name : `${shelf.name}:${formatRepositoryName(within)}`;
  const described = (reference: Tag | Digest): Answer<{ readonly descriptor: Descriptor }> =>
    resolve(shelf, within, reference);
  return {
    name,
    place: undefined,
    headManifest: (reference, { signal }) =>
      answering(`HEAD of ${reference} in ${name}`, signal, async () => {
        const found = described(reference);
        if (found.kind !== "found") return found;
        const { digest, mediaType } = found.descriptor;
        const sizeBytes = await shelf.content.sizeOf(digest);
        return sizeBytes === undefined ? absent : { kind: "found", digest, mediaType, sizeBytes };
      }),
    getManifest: (reference, { signal }) =>
      answering(`GET of ${reference} in ${name}`, signal, async () => {
        const found = described(reference);
        if (found.kind !== "found") return found;
        const { digest, mediaType } = found.descriptor;
        const bytes = await readDocument(shelf.content, digest, manifestMaxBytes);
        if (bytes === undefined) return absent;
        const read = readManifest(bytes, digest, mediaType);
        if (read.kind === "refused") return unavailable("refused", `${digest} in ${name}: ${read.reason}`);
        return { kind: "found", bytes, digest, mediaType: read.descriptor.mediaType };
      }),
    headBlob: (digest, { signal }) =>
      answering(`HEAD of the blob ${digest} in ${name}`, signal, async () => {
        const sizeBytes = await shelf.content.sizeOf(digest);
        return sizeBytes === undefined ? absent : { kind: "found", sizeBytes };
      }),
    listTags: () => Promise.resolve({ kind: "found", tags: tagsOf(shelf, within) }),
    listReferrers: (digest, { signal }) =>
      answering(`referrers of ${digest} in ${name}`, signal, async () => {
        return { kind: "found", referrers: await shelf.referrersOf(digest, signal) };
      }),
  };
}

/** What is on a shelf, to copy from. A blob that is read whole is checked against its digest on the way. */
export function imageSource(shelf: Shelf, within: RepositoryName | undefined): ImageSource {
  const { headBlob: _, ...end } = imageEnd(shelf, within);
  return { ...end, getBlob: (digest, range, limits) => getBlob(shelf, { digest, range }, limits) };
}

function getBlob(
  { name, content }: Shelf,
  { digest, range }: { readonly digest: Digest; readonly range: ByteRange },
  { signal }: CallLimits,
): Promise<Answer<BlobStream>> {
  return answering(`GET of the blob ${digest} in ${name}`, signal, async () => {
    const source = await content.open(digest);
    if (source === undefined) return absent;
    const { sizeBytes } = source;
    if (range.startByte > sizeBytes) {
      await source.close();
      return unavailable("refused", `the blob ${digest} in ${name} has no byte ${range.startByte}`);
    }
    const body = streamBytes(source, range, { signal, digest });
    return { kind: "found", body, startByte: range.startByte, sizeBytes };
  });
}

/** The manifest that a tag or digest names; refused where several images have the tag. */
export function resolve(
  shelf: Shelf,
  within: RepositoryName | undefined,
  reference: Tag | Digest,
): { readonly kind: "found"; readonly descriptor: Descriptor } | Absent | Unavailable {
  const digest = parseDigest(reference);
  if (digest !== undefined) {
    const descriptor = shelf.manifest(digest);
    return descriptor === undefined ? absent : { kind: "found", descriptor };
  }
  const tag = reference as Tag;
  const entries = shelf.entries.filter((entry) => isTagOf(entry, within, tag));
  const [first] = entries;
  if (first === undefined) return absent;
  if (entries.every((entry) => entry.descriptor.digest === first.descriptor.digest)) {
    return { kind: "found", descriptor: first.descriptor };
  }
  const names = entries.map((entry) => nameOf(entry)?.text ?? "").join(", ");
  return unavailable("refused", `${shelf.name} has several images with the tag ${tag}: ${names}; give the full name`);
}

function tagsOf(shelf: Shelf, within: RepositoryName | undefined): readonly Tag[] {
  const tags = shelf.entries.flatMap((entry) => {
    const name = nameOf(entry);
    return name?.tag !== undefined && isWithin(name, within) ? [name.tag] : [];
  });
  return [...new Set(tags)].toSorted();
}
