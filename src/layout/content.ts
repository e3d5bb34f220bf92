import { stat } from "node:fs/promises";
import { join } from "node:path";
import { asFailure } from "../errors/failure.ts";
import { algorithmOf, type Digest, hexOf } from "../reference/digest.ts";
import { type ByteSource, isNotFound, openBytes } from "./bytes.ts";
import { hashFor, wrongBytes } from "./stream.ts";
import type { TarIndex } from "./tar-index.ts";

/** Content by digest: the blobs of a layout, wherever they lie. */
export interface Content {
  /** What is there under this digest, open; `undefined` when nothing is. The bytes are not checked. */
  open(digest: Digest): Promise<ByteSource | undefined>;
  sizeOf(digest: Digest): Promise<number | undefined>;
}

/** Where a blob lies in a layout. OCI image spec, image-layout.md, "Blobs". */
export function blobPath(digest: Digest): string {
  return `blobs/${algorithmOf(digest)}/${hexOf(digest)}`;
}

/** The blobs of a layout that is a folder. */
export function folderContent(folder: string): Content {
  return {
    async open(digest) {
      const path = join(folder, blobPath(digest));
      return (await fileSize(path)) === undefined ? undefined : openBytes(path);
    },
    sizeOf: (digest) => fileSize(join(folder, blobPath(digest))),
  };
}

/** The blobs of a layout in a tar. */
export function tarContent(tar: TarIndex): Content {
  return {
    open: (digest) => Promise.resolve(tar.file(blobPath(digest))),
    sizeOf: (digest) => Promise.resolve(tar.file(blobPath(digest))?.sizeBytes),
  };
}

/** Content that was found elsewhere, by digest. */
export function listedContent(listed: ReadonlyMap<Digest, ByteSource>): Content {
  return {
    open: (digest) => Promise.resolve(listed.get(digest)),
    sizeOf: (digest) => Promise.resolve(listed.get(digest)?.sizeBytes),
  };
}

/**
 * A document read whole and checked against its digest; `undefined` when it is not there or larger than allowed. Throws a
 * `Failure`: DIGEST_INVALID for other bytes, STORAGE_FAILED when they cannot be read.
 */
export async function readDocument(
  content: Content,
  digest: Digest,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const source = await content.open(digest);
  if (source === undefined) return undefined;
  try {
    if (source.sizeBytes > maxBytes) return undefined;
    const bytes = await source.read(0, source.sizeBytes);
    const hash = hashFor(digest);
    hash.update(bytes);
    if (hash.digest() !== digest) throw wrongBytes(source.name, digest);
    return bytes;
  } finally {
    await source.close();
  }
}

async function fileSize(path: string): Promise<number | undefined> {
  try {
    const found = await stat(path);
    return found.isFile() ? found.size : undefined;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw asFailure(error, "STORAGE_FAILED", `cannot look at ${path}`);
  }
}
