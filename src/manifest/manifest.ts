import { z } from "zod";
import { type Digest, parseDigest } from "../reference/digest.ts";
import type { Platform } from "../reference/platform.ts";
import { ambiguityOf } from "./ambiguity.ts";

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

const descriptorSchema = z.looseObject({
  mediaType: z.string().max(255).default("application/octet-stream"),
  digest: z.string().transform((text, context) => {
    const digest = parseDigest(text);
    if (digest === undefined) context.addIssue({ code: "custom", message: "not a sha256 or sha512 digest" });
    return digest ?? z.NEVER;
  }),
  size: z.int().min(0),
  artifactType: z.string().max(255).optional(),
  platform: z.looseObject({ os: z.string(), architecture: z.string(), variant: z.string().optional() }).optional(),
});

const documentSchema = z.looseObject({
  schemaVersion: z.literal(2),
  mediaType: z.string().max(255).optional(),
  config: descriptorSchema.optional(),
  layers: z.array(descriptorSchema).max(descriptorsMax).nullish(),
  manifests: z.array(descriptorSchema).max(descriptorsMax).nullish(),
  subject: descriptorSchema.optional(),
  artifactType: z.string().max(255).optional(),
  annotations: z.record(z.string(), z.string()).nullish(),
});

/**
 * Reads a manifest or index strictly. Refuses what two decoders could read in two ways: duplicate or case-variant keys,
 * both `layers` and `manifests`, sizes that are not exact integers. Unknown fields pass.
 */
export function parseManifest(bytes: Uint8Array): ManifestDocument | ManifestRefusal {
  if (bytes.byteLength > manifestMaxBytes) return refused("it is larger than 4 MiB");
  const text = new TextDecoder().decode(bytes);
  const ambiguity = ambiguityOf(text);
  if (ambiguity !== undefined) return refused(ambiguity);
  const parsed = documentSchema.safeParse(parseJson(text));
  if (!parsed.success) return refused(z.prettifyError(parsed.error).slice(0, 500));
  const { mediaType, config, layers, manifests, subject, artifactType } = parsed.data;
  if (manifests && (layers || config)) return refused("it has the fields of a manifest and of an index");
  const common = {
    mediaType,
    subject: subject === undefined ? undefined : toDescriptor(subject),
    artifactType,
    annotations: parsed.data.annotations ?? undefined,
  };
  if (manifests) return { kind: "index", manifests: manifests.map(toDescriptor), ...common };
  return {
    kind: "manifest",
    config: config === undefined ? undefined : toDescriptor(config),
    layers: (layers ?? []).map(toDescriptor),
    ...common,
  };
}

/** Every digest that a document names, in its order: children of an index, or config and layers. */
export function childrenOf(document: ManifestDocument): readonly Descriptor[] {
  if (document.kind === "index") return document.manifests;
  return document.config === undefined ? document.layers : [document.config, ...document.layers];
}

function toDescriptor(raw: z.output<typeof descriptorSchema>): Descriptor {
  const { mediaType, digest, size, artifactType, platform } = raw;
  return {
    mediaType,
    digest,
    sizeBytes: size,
    artifactType,
    platform: platform && { os: platform.os, architecture: platform.architecture, variant: platform.variant },
  };
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
