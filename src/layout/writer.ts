import type { ImageTarget } from "../copy/ends.ts";
import { Failure } from "../errors/failure.ts";
import { manifestMaxBytes } from "../manifest/manifest.ts";
import { type Digest, parseDigest } from "../reference/digest.ts";
import type { Tag } from "../reference/repository.ts";
import type { Answer, CallLimits } from "../registry/remote.ts";
import type { BlobToPush, ManifestToPush, PushedBlob, PushedManifest } from "../registry/writable.ts";
import { answering, unavailable } from "./answers.ts";
import type { Content } from "./content.ts";
import { imageEnd, resolve } from "./end.ts";
import type { RepositoryName } from "./image-name.ts";
import type { IndexFile } from "./index-json.ts";
import { readManifest } from "./manifest-facts.ts";
import { changeIndex, type IndexChange } from "./pending-index.ts";
import type { Shelf } from "./shelf.ts";
import { hashFor } from "./stream.ts";

/** Where a layout's blobs and index are written to: a folder, a tar. */
export interface LayoutSink {
  readonly content: Content;
  /** Writes a blob that is not there yet; checks size and digest. */
  put(blob: BlobToPush, signal: AbortSignal): Promise<PushedBlob>;
  /** Makes everything last, the index as the last. `change` makes it of the one that is there by then. Throws a `Failure`. */
  finish(change: (index: IndexFile) => IndexFile): Promise<void>;
  /** Lets go of everything; what is there stays for another run. */
  abandon(): Promise<void>;
}

/** A layout or archive that is being written. */
export interface ImageWriter extends AsyncDisposable {
  readonly name: string;
  /** What is written under the names of one repository, or under bare tags. Closing it does nothing: close the writer. */
  target(within: RepositoryName | undefined): ImageTarget;
  /** Makes all of it final, once. Throws a `Failure`; then nothing has changed under the final name. */
  close(): Promise<void>;
}

/** Makes a writer of what is there and of where it goes. Disposing of one that was not closed lets go of it. */
export function layoutWriter(shelf: Shelf, sink: LayoutSink): ImageWriter {
  return new LayoutWriter(shelf, sink);
}

/** The target of one copy: closing it closes its writer. */
export function onlyTarget(writer: ImageWriter, within: RepositoryName | undefined): ImageTarget {
  return { ...writer.target(within), close: () => writer.close() };
}

class LayoutWriter implements ImageWriter {
  readonly name: string;
  readonly #shelf: Shelf;
  readonly #sink: LayoutSink;
  readonly #changes: IndexChange[] = [];
  /** Manifests that an index which was put has as children. */
  readonly #reached = new Set<Digest>();
  #isClosed = false;

  constructor(shelf: Shelf, sink: LayoutSink) {
    this.name = shelf.name;
    this.#shelf = shelf;
    this.#sink = sink;
  }

  target(within: RepositoryName | undefined): ImageTarget {
    return {
      ...imageEnd(this.#shelf, within),
      pushBlob: (blob, limits) => this.#pushBlob(blob, limits),
      putManifest: (reference, manifest, limits) => this.#putManifest({ within, reference }, manifest, limits),
      deleteManifest: (reference, { signal }) =>
        answering(`${this.name}: removing ${reference}`, signal, () =>
          Promise.resolve(this.#deleteManifest(within, reference)),
        ),
      close: () => Promise.resolve(),
    };
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#changes.length === 0) return this.#sink.abandon();
    await this.#sink.finish((index) => changeIndex(index, this.#changes, this.#reached));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#sink.abandon();
  }

  #pushBlob(blob: BlobToPush, { signal }: CallLimits): Promise<PushedBlob> {
    return answering(`${this.name}: the blob ${blob.digest}`, signal, async (): Promise<PushedBlob> => {
      this.#mustBeOpen();
      if ((await this.#sink.content.sizeOf(blob.digest)) === blob.sizeBytes) return { kind: "pushed", sentBytes: 0 };
      return this.#sink.put(blob, signal);
    });
  }

  #putManifest(
    at: { readonly within: RepositoryName | undefined; readonly reference: Tag | Digest },
    manifest: ManifestToPush,
    { signal }: CallLimits,
  ): Promise<Answer<PushedManifest>> {
    const asked = `${this.name}: the manifest ${at.reference}`;
    return answering(asked, signal, async (): Promise<Answer<PushedManifest>> => {
      this.#mustBeOpen();
      const read = readManifest(manifest.bytes, manifest.digest, manifest.mediaType);
      if (read.kind === "refused") return unavailable("refused", `${asked}: ${read.reason}`);
      const put = await this.#putBytes(manifest, signal);
      if (put.kind === "unavailable" || put.kind === "absent") return put;
      const { descriptor, document } = read;
      if (document.kind === "index") for (const child of document.manifests) this.#reached.add(child.digest);
      const isReached = this.#shelf.manifest(descriptor.digest) !== undefined;
      this.#shelf.add(read);
      const isTag = parseDigest(at.reference) === undefined;
      if (isTag) this.#change({ kind: "name", within: at.within, tag: at.reference as Tag, descriptor });
      else if (!isReached) this.#change({ kind: "keep", descriptor });
      return { kind: "found", subject: document.subject?.digest };
    });
  }

  async #putBytes({ bytes, digest }: ManifestToPush, signal: AbortSignal): Promise<PushedBlob> {
    const sizeBytes = bytes.byteLength;
    const hash = hashFor(digest);
    hash.update(bytes);
    if (sizeBytes > manifestMaxBytes || hash.digest() !== digest) {
      return unavailable("wrong-bytes", `the manifest ${digest} is too large, or not what its digest says`);
    }
    if ((await this.#sink.content.sizeOf(digest)) === sizeBytes) return { kind: "pushed", sentBytes: 0 };
    const open: BlobToPush["open"] = () =>
      Promise.resolve({ kind: "found", body: new Blob([bytes]).stream(), startByte: 0, sizeBytes });
    return this.#sink.put({ digest, sizeBytes, mountFrom: [], open }, signal);
  }

  #deleteManifest(within: RepositoryName | undefined, reference: Tag | Digest): Answer<object> {
    this.#mustBeOpen();
    const found = resolve(this.#shelf, within, reference);
    if (found.kind !== "found") return found;
    const digest = parseDigest(reference);
    if (digest === undefined) this.#change({ kind: "drop-name", within, tag: reference as Tag });
    else {
      this.#change({ kind: "drop-manifest", digest });
      this.#shelf.remove(digest);
    }
    return { kind: "found" };
  }

  #change(change: IndexChange): void {
    this.#changes.push(change);
    this.#shelf.entries = changeIndex({ entries: this.#shelf.entries, raw: {} }, [change], this.#reached).entries;
  }

  #mustBeOpen(): void {
    if (this.#isClosed) throw new Failure({ code: "STORAGE_FAILED", message: `${this.name} is closed already` });
  }
}
