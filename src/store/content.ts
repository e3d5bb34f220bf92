import { constants, statSync } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rename, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { asFailure } from "../errors/failure.ts";
import { type Digest, hexOf } from "../reference/digest.ts";
import type { Layout } from "./layout.ts";

/** A file that content is written to while others read it. Nothing of it is published before `publish`. */
export interface Draft {
  /** Writes pieces one after the other from an offset on. Throws the system's error (`ENOSPC`, …) for the caller to judge. */
  write(pieces: readonly Uint8Array<ArrayBuffer>[], offset: number): Promise<void>;
  /** Reads up to `length` bytes that were written before. Also works after `publish` and `discard`, until `close`. */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Syncs, renames to the digest's place and syncs the folder. The caller has verified size and digest. */
  publish(): Promise<void>;
  /** Gives the file up; what is open stays readable. */
  discard(): Promise<void>;
  close(): Promise<void>;
}

/** Published content, by digest. */
export interface ContentStore {
  begin(digest: Digest): Promise<Draft>;
  /** Path of the content when it is there with this size, else `undefined`: a row whose file is gone is a miss. */
  pathIfHeld(digest: Digest, sizeBytes: number): string | undefined;
  /** The size of the file that is there under a digest, whether or not a row says so. */
  sizeOf(digest: Digest): number | undefined;
  /** Takes content away. Those who have it open read on. */
  remove(digest: Digest): Promise<void>;
  /** Digests of the files under one of the folders that `shards` lists. */
  list(shard: string): Promise<readonly string[]>;
  /** The folders that content is spread over; few, so that a walk can go on step by step. */
  shards(): Promise<readonly string[]>;
  /** Removes drafts that an earlier process left. */
  sweepDrafts(): Promise<number>;
}

/** Opens content in files. Makes the folders that are missing. */
export async function openFileContent(layout: Layout): Promise<ContentStore> {
  try {
    await mkdir(layout.fills, { recursive: true });
    await mkdir(layout.blobs, { recursive: true });
  } catch (error) {
    throw asFailure(error, "STORAGE_FAILED", `cannot make the storage folder ${layout.root}`);
  }
  return new FileContent(layout);
}

class FileContent implements ContentStore {
  readonly #layout: Layout;
  /** The runtime takes a handle that is collected while it is open for an error of the whole program: none is let go of. */
  readonly #open = new Set<FileHandle>();
  #drafts = 0;

  constructor(layout: Layout) {
    this.#layout = layout;
  }

  async begin(digest: Digest): Promise<Draft> {
    const path = join(this.#layout.fills, `${hexOf(digest)}.${this.#drafts++}.part`);
    const handle = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o644);
    this.#open.add(handle);
    const close = (): Promise<void> => handle.close().finally(() => this.#open.delete(handle));
    return new FileDraft({ handle, close, path, target: this.#layout.blob(digest) });
  }

  pathIfHeld(digest: Digest, sizeBytes: number): string | undefined {
    return this.sizeOf(digest) === sizeBytes ? this.#layout.blob(digest) : undefined;
  }

  sizeOf(digest: Digest): number | undefined {
    try {
      const stat = statSync(this.#layout.blob(digest), { throwIfNoEntry: false });
      return stat?.isFile() ? stat.size : undefined;
    } catch {
      // What cannot be looked at cannot be sent either.
      return undefined;
    }
  }

  async remove(digest: Digest): Promise<void> {
    await unlinkIfThere(this.#layout.blob(digest));
  }

  async shards(): Promise<readonly string[]> {
    const shards: string[] = [];
    for (const algorithm of ["sha256", "sha512"]) {
      for (const name of await names(join(this.#layout.blobs, algorithm))) shards.push(`${algorithm}/${name}`);
    }
    return shards;
  }

  async list(shard: string): Promise<readonly string[]> {
    const algorithm = shard.split("/", 1)[0] ?? "";
    return (await names(join(this.#layout.blobs, shard))).map((hex) => `${algorithm}:${hex}`);
  }

  async sweepDrafts(): Promise<number> {
    const left = await names(this.#layout.fills);
    await Promise.all(left.map((name) => unlinkIfThere(join(this.#layout.fills, name))));
    return left.length;
  }
}

interface DraftFile {
  readonly handle: FileHandle;
  readonly close: () => Promise<void>;
  readonly path: string;
  /** Where it goes when it is published. */
  readonly target: string;
}

class FileDraft implements Draft {
  readonly #handle: FileHandle;
  readonly #path: string;
  readonly #target: string;
  readonly #close: () => Promise<void>;

  constructor({ handle, close, path, target }: DraftFile) {
    this.#handle = handle;
    this.#close = close;
    this.#path = path;
    this.#target = target;
  }

  async write(pieces: readonly Uint8Array<ArrayBuffer>[], offset: number): Promise<void> {
    let position = offset;
    let left = pieces;
    while (left.length > 0) {
      const { bytesWritten } = await this.#handle.writev(left, position);
      position += bytesWritten;
      left = without(left, bytesWritten);
    }
  }

  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const buffer = new Uint8Array(length);
    const { bytesRead } = await this.#handle.read(buffer, 0, length, offset);
    return buffer.subarray(0, bytesRead);
  }

  async publish(): Promise<void> {
    const folder = dirname(this.#target);
    const made = await mkdir(folder, { recursive: true });
    // After a failed sync the kernel may have dropped the pages: the draft is given up, never synced again.
    await this.#handle.sync();
    await rename(this.#path, this.#target);
    await syncFolder(folder);
    if (made !== undefined) await syncFolder(dirname(folder));
  }

  async discard(): Promise<void> {
    await unlinkIfThere(this.#path);
  }

  close(): Promise<void> {
    return this.#close();
  }
}

/** What is left of pieces after their first bytes. */
function without(pieces: readonly Uint8Array<ArrayBuffer>[], sizeBytes: number): readonly Uint8Array<ArrayBuffer>[] {
  let skip = sizeBytes;
  return pieces.flatMap((piece) => {
    const part = piece.subarray(Math.min(skip, piece.byteLength));
    skip = Math.max(0, skip - piece.byteLength);
    return part.byteLength === 0 ? [] : [part];
  });
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function unlinkIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (!isNotFound(error)) throw asFailure(error, "STORAGE_FAILED", `cannot remove ${path}`);
  }
}

async function names(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isNotFound(error)) return [];
    throw asFailure(error, "STORAGE_FAILED", `cannot read ${folder}`);
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
