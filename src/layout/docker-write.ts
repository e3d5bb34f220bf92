import type { ImageTarget } from "../copy/ends.ts";
import { asFailure, Failure } from "../errors/failure.ts";
import { type Digest, parseDigest } from "../reference/digest.ts";
import type { Tag } from "../reference/repository.ts";
import type { Answer } from "../registry/remote.ts";
import type { BlobToPush, ManifestToPush, PushedBlob, PushedManifest } from "../registry/writable.ts";
import { absent, answering, cancelled, unavailable } from "./answers.ts";
import { type DockerBlob, diffIdsOf, putDockerBlob } from "./docker-blob.ts";
import { fullName, type RepositoryName } from "./image-name.ts";
import { type ReadManifest, readManifest } from "./manifest-facts.ts";
import { openTarDraft, type TarDraft } from "./tar-draft.ts";
import { Turns } from "./turns.ts";
import type { ImageWriter } from "./writer.ts";

/** How far a layer may be unpacked. */
export interface DockerWriteOptions {
  readonly unpackedMaxBytes: number;
}

/**
 * Begins an archive that `docker load` and `podman load` take, `docker-archive:FILE`, under the name `FILE.part`, which is
 * begun anew each time. Layers are unpacked on their way: the format names them by the digest of what is in them. It holds
 * images of one platform each; an index is refused. `FILE` itself is never written over.
 */
export async function openDockerWriter(path: string, options: DockerWriteOptions): Promise<ImageWriter> {
  return new DockerWriter(path, await openTarDraft(path, "over"), options);
}

interface DockerImage {
  readonly config: string;
  readonly layers: readonly string[];
  readonly names: ReadonlySet<string>;
  readonly put: ManifestToPush;
}

class DockerWriter implements ImageWriter {
  readonly name: string;
  readonly #tar: TarDraft;
  readonly #options: DockerWriteOptions;
  readonly #turns = new Turns();
  readonly #blobs = new Map<Digest, DockerBlob>();
  readonly #images = new Map<Digest, DockerImage>();
  readonly #tags = new Map<string, Digest>();
  #isClosed = false;

  constructor(path: string, tar: TarDraft, options: DockerWriteOptions) {
    this.name = `docker-archive:${path}`;
    this.#tar = tar;
    this.#options = options;
  }

  target(within: RepositoryName | undefined): ImageTarget {
    const nameOf = (tag: Tag): string => (within === undefined ? tag : fullName(within, tag));
    const image = (reference: Tag | Digest): DockerImage | undefined => {
      const digest = parseDigest(reference) ?? this.#tags.get(nameOf(reference as Tag));
      return digest === undefined ? undefined : this.#images.get(digest);
    };
    return {
      name: this.name,
      place: undefined,
      headManifest(reference) {
        const put = image(reference)?.put;
        if (put === undefined) return Promise.resolve(absent);
        return Promise.resolve({ kind: "found", ...put, sizeBytes: put.bytes.byteLength });
      },
      getManifest(reference) {
        const put = image(reference)?.put;
        return Promise.resolve(put === undefined ? absent : { kind: "found", ...put });
      },
      headBlob: (digest) => Promise.resolve(this.#headBlob(digest)),
      listTags: () => Promise.resolve({ kind: "found", tags: [] }),
      listReferrers: () => Promise.resolve(absent),
      pushBlob: (blob, { signal }) => this.#pushBlob(blob, signal),
      putManifest: (reference, manifest, { signal }) => {
        const asked = `${this.name}: the manifest ${reference}`;
        const name = parseDigest(reference) === undefined ? nameOf(reference as Tag) : undefined;
        return answering(asked, signal, () => this.#putManifest(asked, manifest, name));
      },
      deleteManifest: () =>
        Promise.resolve(
          unavailable("refused", `${this.name}: nothing is removed from an archive that is being written`),
        ),
      close: () => Promise.resolve(),
    };
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#images.size === 0) return this.#tar.close("removed");
    const rows = [...this.#images.values()].map(({ config, layers, names }) => ({
      Config: config,
      RepoTags: names.size === 0 ? null : [...names],
      Layers: layers,
    }));
    try {
      await this.#tar.add("manifest.json", new TextEncoder().encode(JSON.stringify(rows)));
    } catch (error) {
      await this.#tar.close("removed");
      throw asFailure(error, "STORAGE_FAILED", `cannot write ${this.#tar.written.name}`);
    }
    await this.#tar.publish();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#tar.close("removed");
  }

  #headBlob(digest: Digest): Answer<{ readonly sizeBytes: number }> {
    const blob = this.#blobs.get(digest);
    return blob === undefined ? absent : { kind: "found", sizeBytes: blob.packedBytes };
  }

  #pushBlob(blob: BlobToPush, signal: AbortSignal): Promise<PushedBlob> {
    return answering(`${this.name}: the blob ${blob.digest}`, signal, async () => {
      const put = await this.#turns.take(signal, async (): Promise<PushedBlob> => {
        this.#mustBeOpen();
        if (this.#blobs.has(blob.digest)) return { kind: "pushed", sentBytes: 0 };
        return putDockerBlob({ tar: this.#tar, blobs: this.#blobs, ...this.#options }, blob, signal);
      });
      return put ?? cancelled(`the blob ${blob.digest}`);
    });
  }

  async #putManifest(
    asked: string,
    manifest: ManifestToPush,
    name: string | undefined,
  ): Promise<Answer<PushedManifest>> {
    this.#mustBeOpen();
    const read = readManifest(manifest.bytes, manifest.digest, manifest.mediaType);
    if (read.kind === "refused") return unavailable("refused", `${asked}: ${read.reason}`);
    const parts = await this.#partsOf(read);
    if (typeof parts === "string") return unavailable("refused", `${asked}: ${parts}`);
    const known = this.#images.get(manifest.digest)?.names ?? [];
    const names = new Set(name?.includes("/") === true ? [...known, name] : known);
    this.#images.set(manifest.digest, { ...parts, names, put: manifest });
    if (name !== undefined) this.#tags.set(name, manifest.digest);
    return { kind: "found", subject: read.document.subject?.digest };
  }

  /** The files of an image in the tar, or why it cannot be one. */
  async #partsOf({ document }: ReadManifest): Promise<Pick<DockerImage, "config" | "layers"> | string> {
    if (document.kind === "index") return "a docker-archive holds images of one platform each; choose one platform";
    const config = document.config && this.#blobs.get(document.config.digest);
    if (config === undefined) return "its config has not been put";
    const layers = document.layers.map(({ digest }) => this.#blobs.get(digest));
    const held = layers.filter((layer) => layer !== undefined);
    if (held.length !== layers.length) return "a layer of it has not been put";
    const diffIds = await diffIdsOf(this.#tar, config);
    const isRight = diffIds?.length === held.length && held.every((layer, i) => layer.digest === diffIds[i]);
    if (!isRight) return "it is no image that docker can load: its layers are not those that its config names";
    return { config: config.path, layers: held.map(({ path }) => path) };
  }

  #mustBeOpen(): void {
    if (this.#isClosed) throw new Failure({ code: "STORAGE_FAILED", message: `${this.name} is closed already` });
  }
}
