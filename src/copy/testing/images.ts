import { mediaTypes } from "../../manifest/media-types.ts";
import { type Digest, digestFrom } from "../../reference/digest.ts";
import type { ManifestBody } from "../../registry/remote.ts";

/** The sha256 digest of bytes. */
export function digestOf(bytes: Uint8Array): Digest {
  return digestFrom("sha256", new Bun.CryptoHasher("sha256").update(bytes).digest("hex"));
}

/** Something that a manifest can name. */
interface Named {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

/** A blob and how it is named. */
export interface TestBlob {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly named: Named;
}

/** A manifest and how it is named. */
export interface TestManifest {
  readonly body: ManifestBody;
  readonly named: Named;
}

/** A blob of some text, repeated to a size. */
export function blob(
  text: string,
  size: number = text.length,
  mediaType = "application/vnd.oci.image.layer.v1.tar",
): TestBlob {
  const bytes = new TextEncoder().encode(text.repeat(Math.ceil(size / text.length)).slice(0, size));
  return { bytes, named: { mediaType, digest: digestOf(bytes), size } };
}

/** A manifest of whatever document. */
export function manifest(document: object, mediaType: string = mediaTypes.ociManifest): TestManifest {
  const bytes = new TextEncoder().encode(JSON.stringify({ schemaVersion: 2, mediaType, ...document }));
  const digest = digestOf(bytes);
  return { body: { bytes, digest, mediaType }, named: { mediaType, digest, size: bytes.byteLength } };
}

/** An index of whatever it names. */
export function index(manifests: readonly object[], more: object = {}): TestManifest {
  return manifest({ ...more, manifests }, mediaTypes.ociIndex);
}

/** An entry of an index for a platform. */
export function forPlatform({ named }: TestManifest, text: string): object {
  const [os, architecture, variant] = text.split("/");
  return { ...named, platform: { os, architecture, ...(variant === undefined ? {} : { variant }) } };
}
