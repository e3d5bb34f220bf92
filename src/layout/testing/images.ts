import { mediaTypes } from "../../manifest/media-types.ts";
import { type Digest, digestFrom } from "../../reference/digest.ts";
import type { BlobStream, CallLimits } from "../../registry/remote.ts";
import type { BlobToPush, ManifestToPush } from "../../registry/writable.ts";
import type { ImageSource, ImageTarget } from "../../copy/ends.ts";
import { tarEnd, tarHeader } from "../tar-write.ts";
import { paddingAfter } from "../tar-header.ts";

/** Limits that end nothing. */
export const limits: CallLimits = { signal: new AbortController().signal, timeoutMs: 10_000 };

/** Content and its digest. */
export interface TestBlob {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly digest: Digest;
}

/** A manifest and the blobs it names. */
export interface TestImage {
  readonly manifest: ManifestToPush;
  readonly blobs: readonly TestBlob[];
}

/** Bytes with their digest. */
export function blobOf(content: string | Uint8Array<ArrayBuffer>): TestBlob {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return { bytes, digest: digestFrom("sha256", new Bun.CryptoHasher("sha256").update(bytes).digest("hex")) };
}

/** An image of one platform with gzip layers, each a small tar of one file. */
export function imageOf(name: string, layerTexts: readonly string[], architecture = "amd64"): TestImage {
  const tars = layerTexts.map((text) => blobOf(tarOf([["file", text]])));
  const layers = tars.map(({ bytes }) => blobOf(Bun.gzipSync(bytes)));
  const diffIds = tars.map(({ digest }) => digest);
  const config = blobOf(
    JSON.stringify({ name, os: "linux", architecture, rootfs: { type: "layers", diff_ids: diffIds } }),
  );
  const fields = {
    config: descriptorOf(config, "application/vnd.oci.image.config.v1+json"),
    layers: layers.map((layer) => descriptorOf(layer, "application/vnd.oci.image.layer.v1.tar+gzip")),
  };
  return { manifest: manifestOf(fields), blobs: [config, ...layers] };
}

/** A manifest of OCI, or of another media type, by its other fields. */
export function manifestOf(fields: object, mediaType: string = mediaTypes.ociManifest): ManifestToPush {
  const { bytes, digest } = blobOf(JSON.stringify({ schemaVersion: 2, mediaType, ...fields }));
  return { bytes, digest, mediaType };
}

/** An index of images. */
export function indexOf(images: readonly TestImage[]): ManifestToPush {
  const manifests = images.map(({ manifest }, i) => ({
    ...descriptorOf(manifest, manifest.mediaType),
    platform: { os: "linux", architecture: i === 0 ? "amd64" : "arm64" },
  }));
  return manifestOf({ manifests }, mediaTypes.ociIndex);
}

/** A descriptor as JSON. */
export function descriptorOf(blob: TestBlob, mediaType: string): object {
  return { mediaType, digest: blob.digest, size: blob.bytes.byteLength };
}

/** A blob to be pushed whose stream is as given, or its own bytes from where it is asked for. */
export function toPush(blob: TestBlob, open?: BlobToPush["open"]): BlobToPush {
  const own: BlobToPush["open"] = (startByte) => Promise.resolve(found(blob, startByte));
  return { digest: blob.digest, sizeBytes: blob.bytes.byteLength, mountFrom: [], open: open ?? own };
}

/** The stream of a blob from a byte on. */
export function found(blob: TestBlob, startByte: number): { readonly kind: "found" } & BlobStream {
  const body = new Blob([blob.bytes.subarray(startByte)]).stream();
  return { kind: "found", body, startByte, sizeBytes: blob.bytes.byteLength };
}

/** Puts the blobs of an image. */
export async function putBlobs(target: ImageTarget, image: TestImage): Promise<void> {
  for (const blob of image.blobs) {
    const pushed = await target.pushBlob(toPush(blob), limits);
    if (pushed.kind !== "pushed") throw new Error(JSON.stringify(pushed));
  }
}

/** All bytes of a blob of a source; throws what breaks its stream. */
export async function bytesOf(source: ImageSource, digest: Digest): Promise<Uint8Array> {
  const answer = await source.getBlob(digest, { startByte: 0, endByte: undefined }, limits);
  if (answer.kind !== "found") throw new Error(`${digest} is ${JSON.stringify(answer)}`);
  return new Response(answer.body).bytes();
}

/** A tar of files. */
export function tarOf(files: readonly (readonly [string, string | Uint8Array])[]): Uint8Array<ArrayBuffer> {
  const parts = files.flatMap(([name, content]) => {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    return [tarHeader(name, bytes.byteLength), bytes, new Uint8Array(paddingAfter(bytes.byteLength))];
  });
  return new Uint8Array(Buffer.concat([...parts, tarEnd()]));
}
