import { mediaTypes } from "../../../manifest/media-types.ts";
import type { Digest } from "../../../reference/digest.ts";
import { body, digestOf, type FakeRegistry } from "../../testing/fake-registry.ts";

/** A descriptor as it stands in a manifest. */
export interface Described {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly platform?: { readonly os: string; readonly architecture: string; readonly variant?: string };
}

/** Puts content into repositories of a scripted registry. */
export class Images {
  readonly #registry: FakeRegistry;
  readonly #repository: string;

  constructor(registry: FakeRegistry, repository: string) {
    this.#registry = registry;
    this.#repository = repository;
  }

  /** A blob of a text; `gate` holds its last byte back. */
  blob(text: string, gate?: Promise<void>): Described {
    const bytes = new TextEncoder().encode(text);
    const digest = digestOf(bytes);
    const head = { kind: "found", sizeBytes: bytes.byteLength } as const;
    this.#registry.blobHeads.set(`${this.#repository} ${digest}`, [async () => head]);
    this.#registry.blobs.set(`${this.#repository} ${digest}`, [
      async (startByte) => {
        const steps = [bytes.slice(startByte, -1), ...(gate === undefined ? [] : [gate]), bytes.slice(-1)];
        return { ...head, startByte, body: body(...steps) };
      },
    ]);
    return { mediaType: "application/vnd.oci.image.layer.v1.tar", digest, size: bytes.byteLength };
  }

  /** A manifest of blobs, under its digest and tags. */
  manifest(layers: readonly Described[], ...tags: readonly string[]): Described {
    const config = this.blob(`config of ${layers.map(({ digest }) => digest).join()}`);
    const document = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers };
    return this.document(JSON.stringify(document), mediaTypes.ociManifest, ...tags);
  }

  /** An index of manifests, under its digest and tags. */
  index(manifests: readonly Described[], ...tags: readonly string[]): Described {
    const document = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests };
    return this.document(JSON.stringify(document), mediaTypes.ociIndex, ...tags);
  }

  /** Any text as a manifest, under its digest and tags. */
  document(text: string, mediaType: string, ...tags: readonly string[]): Described {
    const bytes = new TextEncoder().encode(text);
    const digest = digestOf(bytes);
    const head = { digest, mediaType, sizeBytes: bytes.byteLength };
    for (const reference of [digest, ...tags]) {
      this.#registry.heads.set(`${this.#repository} ${reference}`, [async () => ({ kind: "found", ...head })]);
      this.#registry.manifests.set(`${this.#repository} ${reference}`, [
        async () => ({ kind: "found", bytes, digest, mediaType }),
      ]);
    }
    return { mediaType, digest, size: bytes.byteLength };
  }
}

/** A child of an index, for a platform. */
export function forPlatform(described: Described, os: string, architecture: string): Described {
  return { ...described, platform: { os, architecture } };
}
