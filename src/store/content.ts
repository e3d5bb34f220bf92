import { statSync } from "node:fs";
import { link, realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import { asFailure } from "../errors/failure.ts";
import { type Digest, hexOf, parseDigest } from "../reference/digest.ts";
import type { Answer, BlobStream, ByteRange } from "../registry/remote.ts";
import { type Draft, finishedFile, newFile, OpenDrafts, openDraft } from "./draft.ts";
import { makeFolder, moveFile, names, openPaths, pathsIn, syncFolder, unlinkIfThere } from "./files.ts";
import type { Layout } from "./layout.ts";
import { Turns } from "./turns.ts";

/** A file that is open to whoever opens it now. */
interface HeldFile {
  readonly kind: "file";
  readonly path: string;
}

/** An object elsewhere. Whether it is really there shows when it is opened. */
export interface HeldObject {
  readonly kind: "object";
  open(range: ByteRange, signal: AbortSignal): Promise<Answer<BlobStream>>;
  /** Where a client gets it for some minutes without our credentials; `undefined` where clients are not sent there. */
  link(): Promise<string | undefined>;
}

/** How content is held. */
export type HeldContent = HeldFile | HeldObject;

/** Published content, by digest. */
export interface ContentStore {
  begin(digest: Digest): Promise<Draft>;
  /** Makes a draft the content of a digest, durably. The caller has verified size and digest. */
  publish(draft: Draft, digest: Digest): Promise<void>;
  /** Runs work that publishes or takes away what a digest stands for: one at a time for each digest. */
  alone<T>(digest: Digest, work: () => Promise<T>): Promise<T>;
  /** The content as it is held with this size; `undefined` when it is known to be gone: a row alone is a miss. */
  held(digest: Digest, sizeBytes: number): HeldContent | undefined;
  /** Held content under one more name, as a draft: it stays there when the content is removed. `undefined` where that cannot be had. */
  again(digest: Digest): Promise<Draft | undefined>;
  /** The size of what is there under a digest, whether or not a row says so. */
  stat(digest: Digest): Promise<number | undefined>;
  /** Digests of the content that this process has open, to be read or just written, as far as that can be told. */
  inUse(): Promise<ReadonlySet<Digest>>;
  /** Takes content away. Those who have a file open read on; of an object, those whom the bucket lets. */
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
    for (const folder of [layout.fills, layout.incoming, layout.blobs]) await makeFolder(folder);
  } catch (error) {
    throw asFailure(error, "STORAGE_FAILED", `cannot make the storage folder ${layout.root}`);
  }
  return new FileContent(layout);
}

class FileContent implements ContentStore {
  readonly #layout: Layout;
  readonly #open = new OpenDrafts(true);
  readonly #turns = new Turns<Digest>();
  #drafts = 0;

  constructor(layout: Layout) {
    this.#layout = layout;
  }

  begin(digest: Digest): Promise<Draft> {
    return openDraft(this.#draftPath(digest), newFile, this.#open);
  }

  async again(digest: Digest): Promise<Draft | undefined> {
    const path = this.#draftPath(digest);
    try {
      await link(this.#layout.blob(digest), path);
      return await openDraft(path, finishedFile, this.#open);
    } catch {
      // It is gone, or on another file system, or on one without such names; or too many files are open.
      await unlinkIfThere(path);
      return undefined;
    }
  }

  #draftPath(digest: Digest): string {
    return join(this.#layout.fills, `${hexOf(digest)}.${this.#drafts++}.part`);
  }

  async publish(draft: Draft, digest: Digest): Promise<void> {
    const target = this.#layout.blob(digest);
    const folder = dirname(target);
    await makeFolder(folder);
    // After a failed sync the kernel may have dropped the pages: the draft is given up, never synced again.
    await draft.sync();
    await moveFile(draft.path, target, this.#layout.incoming);
    await syncFolder(folder);
  }

  alone<T>(digest: Digest, work: () => Promise<T>): Promise<T> {
    return this.#turns.run(digest, work);
  }

  held(digest: Digest, sizeBytes: number): HeldContent | undefined {
    return this.#sizeOf(digest) === sizeBytes ? { kind: "file", path: this.#layout.blob(digest) } : undefined;
  }

  async stat(digest: Digest): Promise<number | undefined> {
    return this.#sizeOf(digest);
  }

  #sizeOf(digest: Digest): number | undefined {
    try {
      const stat = statSync(this.#layout.blob(digest), { throwIfNoEntry: false });
      return stat?.isFile() ? stat.size : undefined;
    } catch {
      // What cannot be looked at cannot be sent either.
      return undefined;
    }
  }

  async inUse(): Promise<ReadonlySet<Digest>> {
    const { blobs } = this.#layout;
    const folder = `${await realpath(blobs).catch(() => blobs)}/`;
    const paths = (await openPaths()).filter((path) => path.startsWith(folder));
    const digests = paths.map((path) => parseDigest(path.slice(folder.length).replace(/\/.*\//, ":")));
    return new Set(digests.filter((digest) => digest !== undefined));
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
    const { fills, incoming } = this.#layout;
    const folders = [...new Set([fills, incoming])];
    const left = (await Promise.all(folders.map(pathsIn))).flat();
    await Promise.all(left.map(unlinkIfThere));
    return left.length;
  }
}
