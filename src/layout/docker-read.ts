import { z } from "zod";
import { Failure } from "../errors/failure.ts";
import { type Descriptor, manifestMaxBytes } from "../manifest/manifest.ts";
import { mediaTypes } from "../manifest/media-types.ts";
import { type Digest, digestFrom } from "../reference/digest.ts";
import { type ByteSource, inMemory } from "./bytes.ts";
import { compressionOf } from "./compression.ts";
import { type Content, listedContent } from "./content.ts";
import { type IndexEntry, newEntry } from "./index-json.ts";
import { parseJson } from "./manifest-facts.ts";
import { hashBytes } from "./stream.ts";
import type { TarIndex } from "./tar-index.ts";

/** A tar that `docker save` wrote, and the `manifest.json` in it. */
export interface DockerArchive {
  readonly path: string;
  readonly tar: TarIndex;
  readonly bytes: Uint8Array;
}

/** Media types of what a manifest names. OCI image spec, media-types.md. */
const partTypes = {
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar",
  layerGzip: "application/vnd.oci.image.layer.v1.tar+gzip",
  layerZstd: "application/vnd.oci.image.layer.v1.tar+zstd",
} as const;

const pathSchema = z.string().min(1).max(4096);
const imageSchema = z.looseObject({
  Config: pathSchema,
  RepoTags: z.array(z.string().max(1024)).max(10_000).nullish(),
  Layers: z.array(pathSchema).max(4096).nullish(),
});
const manifestSchema = z.array(imageSchema).max(10_000);
const configSchema = z.looseObject({ rootfs: z.looseObject({ diff_ids: z.array(z.string()).nullish() }).optional() });

/**
 * Makes images of what `docker save` wrote (Docker image specification v1.2, "Combined Image JSON + Filesystem Changeset
 * Format"). It has no manifests: OCI manifests are made for the bytes as they lie there, as docker does itself since version
 * 25, so layers stay uncompressed. Digests take a pass over the file. Throws a `Failure` (MANIFEST_INVALID).
 */
export async function readDockerArchive(
  archive: DockerArchive,
  signal: AbortSignal,
): Promise<{ readonly entries: readonly IndexEntry[]; readonly content: Content }> {
  const parsed = manifestSchema.safeParse(parseJson(archive.bytes));
  if (!parsed.success) throw notRead(archive, `manifest.json: ${z.prettifyError(parsed.error).slice(0, 500)}`);
  const reading: Reading = { archive, signal, listed: new Map(), byPath: new Map() };
  const entries: IndexEntry[] = [];
  for (const image of parsed.data) {
    const descriptor = await readImage(reading, image);
    const names = image.RepoTags ?? [];
    if (names.length === 0) entries.push(newEntry(descriptor, {}));
    for (const imageName of names) entries.push(newEntry(descriptor, { imageName }));
  }
  return { entries, content: listedContent(reading.listed) };
}

interface Reading {
  readonly archive: DockerArchive;
  readonly signal: AbortSignal;
  readonly listed: Map<Digest, ByteSource>;
  /** What was hashed already: images of one archive share layers. */
  readonly byPath: Map<string, Descriptor>;
}

async function readImage(reading: Reading, image: z.output<typeof imageSchema>): Promise<Descriptor> {
  const { archive, listed } = reading;
  const config = await readPart(reading, image.Config, () => partTypes.config);
  const layers: Descriptor[] = [];
  for (const path of image.Layers ?? []) layers.push(await readPart(reading, path, layerType));
  await checkLayers(reading, { config, layers, path: image.Config });
  const document = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: asJson(config),
    layers: layers.map(asJson),
  };
  const bytes = new TextEncoder().encode(JSON.stringify(document));
  const digest = digestFrom("sha256", new Bun.CryptoHasher("sha256").update(bytes).digest("hex"));
  listed.set(digest, inMemory(`the manifest of ${image.Config} in ${archive.path}`, bytes));
  return descriptorOf(digest, bytes.byteLength, mediaTypes.ociManifest);
}

async function readPart(
  { archive, signal, listed, byPath }: Reading,
  path: string,
  typeOf: (firstBytes: Uint8Array) => string,
): Promise<Descriptor> {
  const known = byPath.get(path);
  if (known !== undefined) return known;
  const source = archive.tar.fileOrLinked(path);
  if (source === undefined) throw notRead(archive, `manifest.json names ${path}, which is not there`);
  const hasher = new Bun.CryptoHasher("sha256");
  const digest = (): Digest => digestFrom("sha256", hasher.digest("hex"));
  await hashBytes(source, { update: (bytes) => void hasher.update(bytes), digest }, signal);
  const mediaType = typeOf(await source.read(0, Math.min(6, source.sizeBytes)));
  const part = descriptorOf(digest(), source.sizeBytes, mediaType);
  listed.set(part.digest, source);
  byPath.set(path, part);
  return part;
}

/** The config says what its layers are when they are not compressed; the layers must be these. */
async function checkLayers(
  { archive, listed }: Reading,
  image: { readonly config: Descriptor; readonly layers: readonly Descriptor[]; readonly path: string },
): Promise<void> {
  const source = listed.get(image.config.digest);
  if (source === undefined || source.sizeBytes > manifestMaxBytes) {
    throw notRead(archive, `the config ${image.path} is larger than 4 MiB`);
  }
  const parsed = configSchema.safeParse(parseJson(await source.read(0, source.sizeBytes)));
  const diffIds = parsed.data?.rootfs?.diff_ids ?? [];
  const isRight = image.layers.every(
    ({ mediaType, digest }, i) => mediaType !== partTypes.layer || diffIds[i] === digest,
  );
  if (!parsed.success || diffIds.length !== image.layers.length || !isRight) {
    throw notRead(archive, `the layers that manifest.json names are not those of the config ${image.path}`);
  }
}

function layerType(firstBytes: Uint8Array): string {
  switch (compressionOf(firstBytes)) {
    case "gzip":
      return partTypes.layerGzip;
    case "zstd":
      return partTypes.layerZstd;
    default:
      return partTypes.layer;
  }
}

function descriptorOf(digest: Digest, sizeBytes: number, mediaType: string): Descriptor {
  return { digest, sizeBytes, mediaType, platform: undefined, artifactType: undefined };
}

function asJson({ mediaType, sizeBytes, digest }: Descriptor): object {
  return { mediaType, size: sizeBytes, digest };
}

function notRead({ path }: DockerArchive, reason: string): Failure {
  return new Failure({ code: "MANIFEST_INVALID", message: `${path} is no archive of docker save: ${reason}` });
}
