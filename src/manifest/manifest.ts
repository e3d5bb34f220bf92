import { type Digest, parseDigest } from "../reference/digest.ts";
import type { Platform } from "../reference/platform.ts";
import { ambiguityOf } from "./ambiguity.ts";
import { FieldReader } from "./fields.ts";

/** What a manifest says of one piece of content. OCI image spec, descriptor.md. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly platform: Platform | undefined;
  readonly artifactType: string | undefined;
}

/** Free text that belongs to a manifest. OCI image spec, annotations.md. */
type Annotations = Readonly<Record<string, string>>;

/** A manifest or index, read for what this program needs of it; the bytes themselves are kept elsewhere, verbatim. */
export type ManifestDocument =
  | {
      readonly kind: "manifest";
      readonly mediaType: string | undefined;
      readonly config: Descriptor | undefined;
      readonly layers: readonly Descriptor[];
      readonly subject: Descriptor | undefined;
      readonly artifactType: string | undefined;
      readonly annotations: Annotations | undefined;
    }
  | {
      readonly kind: "index";
      readonly mediaType: string | undefined;
      readonly manifests: readonly Descriptor[];
      readonly subject: Descriptor | undefined;
      readonly artifactType: string | undefined;
      readonly annotations: Annotations | undefined;
    };

/** Why bytes are not a manifest that can be relied on. */
export interface ManifestRefusal {
  readonly kind: "refused";
  readonly reason: string;
}

/** The most that a manifest may weigh, in bytes: what the conformance suite asks to be accepted. */
export const manifestMaxBytes: number = 4 * 1024 * 1024;

const descriptorsMax = 4096;
const typeMaxLength = 255;

/**
 * Reads a manifest or index strictly. Refuses what two decoders could read in two ways: duplicate or case-variant keys,
 * both `layers` and `manifests`, sizes that are not exact integers. Unknown fields pass.
 */
export function parseManifest(bytes: Uint8Array): ManifestDocument | ManifestRefusal {
  if (bytes.byteLength > manifestMaxBytes) return refused("it is larger than 4 MiB");
  const text = new TextDecoder().decode(bytes);
  const ambiguity = ambiguityOf(text);
  if (ambiguity !== undefined) return refused(ambiguity);
  const reader = new FieldReader();
  const document = readDocument(reader, parseJson(text));
  return reader.problem === undefined ? document : refused(reader.problem);
}

/** Every digest that a document names, in its order: children of an index, or config and layers. */
export function childrenOf(document: ManifestDocument): readonly Descriptor[] {
  if (document.kind === "index") return document.manifests;
  return document.config === undefined ? document.layers : [document.config, ...document.layers];
}

/** OCI image spec, manifest.md and image-index.md. What is `null` in a list's place is as good as absent: Go writes that for none. */
function readDocument(reader: FieldReader, value: unknown): ManifestDocument {
  const { schemaVersion, mediaType, config, layers, manifests, subject, artifactType, annotations } = reader.object(
    value,
    "the document",
  );
  if (schemaVersion !== 2) reader.refuse("schemaVersion", "not 2");
  const isIndex = manifests !== undefined && manifests !== null;
  if (isIndex && ((layers !== undefined && layers !== null) || config !== undefined)) {
    reader.refuse("the document", "it has the fields of a manifest and of an index");
  }
  const common = {
    mediaType: optional(mediaType, (text) => reader.text(text, "mediaType", typeMaxLength)),
    subject: optional(subject, (one) => readDescriptor(reader, one, "subject")),
    artifactType: optional(artifactType, (text) => reader.text(text, "artifactType", typeMaxLength)),
    annotations: optional(annotations ?? undefined, (map) => reader.texts(map, "annotations")),
  };
  if (isIndex) return { kind: "index", manifests: readDescriptors(reader, manifests, "manifests"), ...common };
  return {
    kind: "manifest",
    config: optional(config, (one) => readDescriptor(reader, one, "config")),
    layers: readDescriptors(reader, layers ?? [], "layers"),
    ...common,
  };
}

function readDescriptors(reader: FieldReader, value: unknown, place: string): readonly Descriptor[] {
  const list = reader.list(value, place, descriptorsMax);
  return list.flatMap((one, at) => readDescriptor(reader, one, `${place}[${at}]`) ?? []);
}

/** Undefined where there is a problem with its digest, which the reader then has. */
function readDescriptor(reader: FieldReader, value: unknown, place: string): Descriptor | undefined {
  const {
    mediaType = "application/octet-stream",
    digest: text,
    size,
    artifactType,
    platform,
  } = reader.object(value, place);
  const digest = typeof text === "string" ? parseDigest(text) : undefined;
  const rest = {
    mediaType: reader.text(mediaType, `${place}.mediaType`, typeMaxLength),
    sizeBytes: reader.count(size, `${place}.size`),
    artifactType: optional(artifactType, (type) => reader.text(type, `${place}.artifactType`, typeMaxLength)),
    platform: optional(platform, (one) => readPlatform(reader, one, `${place}.platform`)),
  };
  if (digest !== undefined) return { digest, ...rest };
  reader.refuse(`${place}.digest`, "not a sha256 or sha512 digest");
  return undefined;
}

function readPlatform(reader: FieldReader, value: unknown, place: string): Platform {
  const { os, architecture, variant } = reader.object(value, place);
  return {
    os: reader.text(os, `${place}.os`),
    architecture: reader.text(architecture, `${place}.architecture`),
    variant: optional(variant, (text) => reader.text(text, `${place}.variant`)),
  };
}

function optional<T>(value: unknown, read: (value: unknown) => T): T | undefined {
  return value === undefined ? undefined : read(value);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refused(reason: string): ManifestRefusal {
  return { kind: "refused", reason };
}
