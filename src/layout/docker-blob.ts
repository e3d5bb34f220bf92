import { once } from "node:events";
import { createGunzip, createZstdDecompress, type Gunzip, type ZstdDecompress } from "node:zlib";
import { z } from "zod";
import { Failure } from "../errors/failure.ts";
import { manifestMaxBytes } from "../manifest/manifest.ts";
import { type Digest, digestFrom, hexOf } from "../reference/digest.ts";
import type { BlobToPush, PushedBlob } from "../registry/writable.ts";
import { compressionOf } from "./compression.ts";
import { parseJson } from "./manifest-facts.ts";
import { type Accept, receive } from "./receive.ts";
import { tarBlockBytes } from "./tar-header.ts";
import type { EntryDraft, TarDraft } from "./tar-draft.ts";

/** A blob in a docker archive, as it lies there: a layer is unpacked, and its digest is what configs call the diff id. */
export interface DockerBlob {
  readonly path: string;
  readonly digest: Digest;
  readonly offset: number;
  readonly sizeBytes: number;
  /** The size that it was pushed with. */
  readonly packedBytes: number;
}

/** Where blobs are put. */
export interface DockerBlobs {
  readonly tar: TarDraft;
  readonly blobs: Map<Digest, DockerBlob>;
  readonly unpackedMaxBytes: number;
}

/**
 * Writes a blob at the tar's end, unpacked where it is compressed. Content that is there already under another digest, because
 * it was packed otherwise, is not written twice.
 */
export async function putDockerBlob(into: DockerBlobs, blob: BlobToPush, signal: AbortSignal): Promise<PushedBlob> {
  const { tar, blobs } = into;
  // Names are 69 bytes at most: one block is enough.
  const entry = tar.begin(tarBlockBytes);
  const unpacking = new Unpacking(entry, into.unpackedMaxBytes);
  let isWhole = false;
  try {
    const pushed = await receive(blob, (bytes) => unpacking.accept(bytes), signal);
    if (pushed.kind !== "pushed") return pushed;
    const content = await unpacking.finish();
    const same = [...blobs.values()].find(({ digest }) => digest === content.digest);
    if (same !== undefined) {
      blobs.set(blob.digest, { ...same, packedBytes: blob.sizeBytes });
      return pushed;
    }
    const path = `${hexOf(content.digest)}.${content.isJson ? "json" : "tar"}`;
    await entry.finish(path);
    isWhole = true;
    blobs.set(blob.digest, { ...content, path, offset: entry.dataOffset, packedBytes: blob.sizeBytes });
    return pushed;
  } finally {
    if (!isWhole) {
      await unpacking.stop();
      await entry.drop();
    }
  }
}

const configSchema = z.looseObject({ rootfs: z.looseObject({ diff_ids: z.array(z.string()).nullish() }) });

/** The digests of the layers that a config names, unpacked; `undefined` when it is no image's config. */
export async function diffIdsOf(tar: TarDraft, config: DockerBlob): Promise<readonly string[] | undefined> {
  if (config.sizeBytes > manifestMaxBytes) return undefined;
  const parsed = configSchema.safeParse(parseJson(await tar.written.read(config.offset, config.sizeBytes)));
  return parsed.success ? (parsed.data.rootfs.diff_ids ?? []) : undefined;
}

/** The bytes of a blob on their way into the tar: looked at, unpacked when they are compressed, counted and hashed. */
class Unpacking {
  readonly #entry: EntryDraft;
  readonly #maxBytes: number;
  readonly #hasher = new Bun.CryptoHasher("sha256");
  #sizeBytes = 0;
  #isJson = false;
  /** The first bytes, until there are enough of them to look at. */
  #first: Uint8Array<ArrayBuffer> | undefined = new Uint8Array();
  #unzip: Gunzip | ZstdDecompress | undefined;
  #saved: Promise<void> = Promise.resolve();
  #failure: unknown;

  constructor(entry: EntryDraft, maxBytes: number) {
    this.#entry = entry;
    this.#maxBytes = maxBytes;
  }

  accept: Accept = async (bytes) => {
    if (this.#first === undefined) return this.#feed(bytes);
    const first = new Uint8Array(this.#first.byteLength + bytes.byteLength);
    first.set(this.#first);
    first.set(bytes, this.#first.byteLength);
    this.#first = first;
    if (first.byteLength >= 6) await this.#begin();
  };

  async finish(): Promise<{ readonly digest: Digest; readonly sizeBytes: number; readonly isJson: boolean }> {
    await this.#begin();
    this.#unzip?.end();
    await this.#saved;
    if (this.#failure !== undefined) throw this.#failure;
    const digest = digestFrom("sha256", this.#hasher.digest("hex"));
    return { digest, sizeBytes: this.#sizeBytes, isJson: this.#isJson };
  }

  /** Ends it, and waits for what is being written: it must not land in what is written next. */
  async stop(): Promise<void> {
    this.#unzip?.destroy();
    await this.#saved;
  }

  async #begin(): Promise<void> {
    const first = this.#first;
    if (first === undefined) return;
    this.#first = undefined;
    this.#isJson = first[0] === 0x7b;
    const compression = compressionOf(first);
    if (compression === "gzip") this.#unzip = createGunzip();
    if (compression === "zstd") this.#unzip = createZstdDecompress();
    if (this.#unzip !== undefined) this.#saved = this.#save(this.#unzip);
    await this.#feed(first);
  }

  async #feed(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const unzip = this.#unzip;
    if (unzip === undefined) return this.#take(bytes);
    if (!unzip.write(bytes)) await Promise.race([once(unzip, "drain").catch(() => {}), this.#saved]);
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #save(unzip: AsyncIterable<Uint8Array<ArrayBuffer>>): Promise<void> {
    try {
      for await (const bytes of unzip) await this.#take(bytes);
    } catch (error) {
      this.#failure = error;
    }
  }

  async #take(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    if (this.#sizeBytes + bytes.byteLength > this.#maxBytes) {
      const message = `it unpacks to more than the ${this.#maxBytes} bytes that are allowed`;
      throw new Failure({ code: "SIZE_INVALID", message });
    }
    this.#hasher.update(bytes);
    await this.#entry.write(bytes);
    this.#sizeBytes += bytes.byteLength;
  }
}
