import { z } from "zod";
import { type Descriptor, type ManifestDocument, type ManifestRefusal, parseManifest } from "../manifest/manifest.ts";
import { mediaTypes } from "../manifest/media-types.ts";
import type { Digest } from "../reference/digest.ts";
import type { Platform } from "../reference/platform.ts";

/** A manifest that was read, and the descriptor that others would name it by. */
export interface ReadManifest {
  readonly kind: "read";
  readonly document: ManifestDocument;
  readonly descriptor: Descriptor;
}

/** The media type of a descriptor that did not say one. */
const unsaidType = "application/octet-stream";

/** Reads the bytes of a manifest that are known to be right. `said` is the media type that whoever names it gives. */
export function readManifest(
  bytes: Uint8Array,
  digest: Digest,
  said: string | undefined,
): ReadManifest | ManifestRefusal {
  const document = parseManifest(bytes);
  if (document.kind === "refused") return document;
  const config = document.kind === "manifest" ? document.config?.mediaType : undefined;
  const descriptor = {
    digest,
    mediaType: said === undefined || said === unsaidType ? (document.mediaType ?? typeOf(document)) : said,
    sizeBytes: bytes.byteLength,
    platform: undefined,
    artifactType: document.artifactType ?? (document.subject === undefined ? undefined : config),
  };
  return { kind: "read", document, descriptor };
}

/** True for the media types of indexes; also when it was not said, and the content may be one. */
export function mayBeIndex(mediaType: string): boolean {
  return mediaType === mediaTypes.ociIndex || mediaType === mediaTypes.dockerList || mediaType === unsaidType;
}

const configSchema = z.looseObject({
  os: z.string().min(1),
  architecture: z.string().min(1),
  variant: z.string().optional(),
});

/** The platform that an image's config says. OCI image spec, config.md. */
export function platformOfConfig(bytes: Uint8Array): Platform | undefined {
  const parsed = configSchema.safeParse(parseJson(bytes));
  if (!parsed.success) return undefined;
  const { os, architecture, variant } = parsed.data;
  return { os, architecture, variant };
}

/** JSON from bytes, or `undefined` when it is none. */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}

function typeOf(document: ManifestDocument): string {
  return document.kind === "index" ? mediaTypes.ociIndex : mediaTypes.ociManifest;
}
