import { z } from "zod";
import { type Descriptor, type ManifestRefusal, parseManifest } from "../manifest/manifest.ts";
import { mediaTypes } from "../manifest/media-types.ts";

/** The annotations of an entry by which tools name an image. OCI image spec, annotations.md; containerd's own. */
const nameAnnotations = {
  refName: "org.opencontainers.image.ref.name",
  imageName: "io.containerd.image.name",
} as const;

/** A row of `index.json`: what it names, and the row itself with whatever else stands in it. */
export interface IndexEntry {
  readonly descriptor: Descriptor;
  readonly refName: string | undefined;
  readonly imageName: string | undefined;
  readonly raw: Readonly<Record<string, unknown>>;
}

/** `index.json` of an image layout: its rows, and the rest of it. OCI image spec, image-layout.md. */
export interface IndexFile {
  readonly entries: readonly IndexEntry[];
  readonly raw: Readonly<Record<string, unknown>>;
}

const annotationsSchema = z.record(z.string(), z.string()).nullish();
const rawSchema = z.looseObject({ manifests: z.array(z.looseObject({ annotations: annotationsSchema })).nullish() });

/** The index of a layout that has nothing yet. */
export const emptyIndex: IndexFile = { entries: [], raw: { schemaVersion: 2, mediaType: mediaTypes.ociIndex } };

/** Reads `index.json` as strictly as any index. One without `manifests` is empty. */
export function parseIndexFile(bytes: Uint8Array): IndexFile | ManifestRefusal {
  const document = parseManifest(bytes);
  if (document.kind === "refused") return document;
  const parsed = rawSchema.safeParse(JSON.parse(new TextDecoder().decode(bytes)));
  if (!parsed.success) return { kind: "refused", reason: z.prettifyError(parsed.error).slice(0, 500) };
  if (document.kind === "manifest" && (document.config !== undefined || document.layers.length > 0)) {
    return { kind: "refused", reason: "it is a manifest, not an index" };
  }
  const { manifests, ...raw } = parsed.data;
  const descriptors = document.kind === "index" ? document.manifests : [];
  const entries = (manifests ?? []).flatMap((row, i) => {
    const descriptor = descriptors[i];
    return descriptor === undefined ? [] : [entryOf(descriptor, row)];
  });
  return { entries, raw };
}

/** The bytes of `index.json`. What stood in it before and was not changed is kept, other tools' fields too. */
export function formatIndexFile(index: IndexFile): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify({ ...index.raw, manifests: index.entries.map(({ raw }) => raw) }));
}

/** What a new row says beside its descriptor. */
export interface EntryNames {
  readonly refName?: string | undefined;
  readonly imageName?: string | undefined;
}

/** A new row for a manifest. */
export function newEntry(descriptor: Descriptor, { refName, imageName }: EntryNames): IndexEntry {
  const annotations = {
    ...(refName === undefined ? {} : { [nameAnnotations.refName]: refName }),
    ...(imageName === undefined ? {} : { [nameAnnotations.imageName]: imageName }),
  };
  const { mediaType, digest, sizeBytes, artifactType } = descriptor;
  const raw = {
    mediaType,
    digest,
    size: sizeBytes,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  };
  return { descriptor, refName, imageName, raw };
}

function entryOf(
  descriptor: Descriptor,
  row: { readonly annotations?: Readonly<Record<string, string>> | null | undefined },
): IndexEntry {
  const named = (annotation: string): string | undefined => row.annotations?.[annotation] || undefined;
  return {
    descriptor,
    refName: named(nameAnnotations.refName),
    imageName: named(nameAnnotations.imageName),
    raw: row,
  };
}
