import { digestOf } from "../../../copy/testing/images.ts";
import { mediaTypes } from "../../../manifest/media-types.ts";
import type { LoopbackRegistry } from "../../copy/testing/loopback-registry.ts";

const encode = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
const descriptor = (bytes: Uint8Array, mediaType: string): object => ({
  mediaType,
  digest: digestOf(bytes),
  size: bytes.byteLength,
});
const config = encode("{}");

/** Puts a small image there, told from others by its text, and gives its digest. `more` is of its manifest. */
export function holdImage(
  registry: LoopbackRegistry,
  name: string,
  { text = name, more = {} }: { readonly text?: string; readonly more?: object } = {},
): string {
  const colon = name.lastIndexOf(":");
  const layer = encode(text);
  const document = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: descriptor(config, "application/vnd.oci.image.config.v1+json"),
    layers: [descriptor(layer, "application/vnd.oci.image.layer.v1.tar")],
    ...more,
  };
  return registry.hold(name.slice(0, colon), name.slice(colon + 1), document, [layer, config]);
}

/** What a tag stands for there. */
export function digestAt(registry: LoopbackRegistry, name: string): string | undefined {
  const colon = name.lastIndexOf(":");
  const held = registry.held.get(`${name.slice(0, colon)}/manifests/${name.slice(colon + 1)}`);
  return held === undefined ? undefined : digestOf(held.bytes);
}
