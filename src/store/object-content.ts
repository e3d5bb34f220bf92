import { stat } from "node:fs/promises";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { asFailure, Failure } from "../errors/failure.ts";
import { algorithmOf, type Digest, hexOf } from "../reference/digest.ts";
import type { CallLimits } from "../registry/remote.ts";
import type { S3Bucket } from "../s3/bucket.ts";
import type { ContentStore, HeldContent } from "./content.ts";
import { type Draft, newFile, OpenDrafts, openDraft } from "./draft.ts";
import { pathsIn, unlinkIfThere } from "./files.ts";
import type { Layout } from "./layout.ts";
import { Turns } from "./turns.ts";

/** How content in a bucket is handed out. */
export interface ObjectOptions {
  /** Clients are sent to the bucket by links that are good for some minutes. */
  readonly isLinked: boolean;
}

/** A link has ended before what it leads to may be evicted, which is ten minutes after it was given. */
const linkS = 9 * 60;
/** How long the headers of an answer may take. */
const answerMs = 15_000;
/** How long it may take to put a blob, however large. */
const putMs = 6 * 3_600_000;
const shardCount = 256;

/** Opens content in a bucket; what is on its way in is in local files. Makes the folder that is missing. */
export async function openObjectContent(
  bucket: S3Bucket,
  layout: Layout,
  options: ObjectOptions,
): Promise<ContentStore> {
  await mkdir(layout.fills, { recursive: true }).catch((error: unknown) => {
    throw asFailure(error, "STORAGE_FAILED", `cannot make the folder ${layout.fills}`);
  });
  return new ObjectContent(bucket, layout, options);
}

/**
 * Content as objects, each under its digest and never overwritten: `PREFIX/blobs/sha256/ab/abcd…`. What the index says is held is
 * believed until an object is opened; one that is gone shows then.
 */
class ObjectContent implements ContentStore {
  readonly #bucket: S3Bucket;
  readonly #layout: Layout;
  readonly #options: ObjectOptions;
  readonly #open = new OpenDrafts(false);
  readonly #turns = new Turns<Digest>();
  /** How many read each object now. */
  readonly #readers = new Map<Digest, number>();
  #drafts = 0;

  constructor(bucket: S3Bucket, layout: Layout, options: ObjectOptions) {
    this.#bucket = bucket;
    this.#layout = layout;
    this.#options = options;
  }

  begin(digest: Digest): Promise<Draft> {
    return openDraft(join(this.#layout.fills, `${hexOf(digest)}.${this.#drafts++}.part`), newFile, this.#open);
  }

  async publish(draft: Draft, digest: Digest): Promise<void> {
    const { size: sizeBytes } = await stat(draft.path);
    const source = { kind: "file", path: draft.path } as const;
    const put = await this.#bucket.put({ key: keyOf(digest), digest, sizeBytes, source }, limits(putMs));
    if (put.kind === "unavailable") throw failed(put.message);
    if (put.kind === "absent") throw failed(`${draft.path} is gone before it was put into ${this.#bucket.name}`);
    await draft.discard();
  }

  async again(): Promise<undefined> {
    return undefined;
  }

  alone<T>(digest: Digest, work: () => Promise<T>): Promise<T> {
    return this.#turns.run(digest, work);
  }

  held(digest: Digest): HeldContent {
    const key = keyOf(digest);
    return {
      kind: "object",
      open: async (range, signal) => {
        const opened = await this.#bucket.get(key, range, { signal, timeoutMs: answerMs });
        if (opened.kind === "found") {
          this.#readers.set(digest, (this.#readers.get(digest) ?? 0) + 1);
          void opened.ended.then(() => this.#leave(digest));
        }
        return opened;
      },
      link: async () => {
        if (!this.#options.isLinked) return undefined;
        const link = await this.#bucket.presignGet(key, linkS);
        return link.kind === "found" ? link.url : undefined;
      },
    };
  }

  async stat(digest: Digest): Promise<number | undefined> {
    const head = await this.#bucket.head(keyOf(digest), limits(answerMs));
    if (head.kind === "unavailable") throw failed(head.message);
    return head.kind === "found" ? head.sizeBytes : undefined;
  }

  /** Who was sent to the bucket by a link is not known of. */
  async inUse(): Promise<ReadonlySet<Digest>> {
    return new Set(this.#readers.keys());
  }

  #leave(digest: Digest): void {
    const left = (this.#readers.get(digest) ?? 0) - 1;
    if (left > 0) this.#readers.set(digest, left);
    else this.#readers.delete(digest);
  }

  async remove(digest: Digest): Promise<void> {
    const deleted = await this.#bucket.delete([keyOf(digest)], limits(answerMs));
    if (deleted.kind === "unavailable") throw failed(deleted.message);
  }

  async shards(): Promise<readonly string[]> {
    const names = Array.from({ length: shardCount }, (_, i) => i.toString(16).padStart(2, "0"));
    return ["sha256", "sha512"].flatMap((algorithm) => names.map((name) => `${algorithm}/${name}`));
  }

  async list(shard: string): Promise<readonly string[]> {
    const algorithm = shard.split("/", 1)[0] ?? "";
    const prefix = `blobs/${shard}/`;
    const digests: string[] = [];
    let continuation: string | undefined;
    do {
      const question = continuation === undefined ? { prefix } : { prefix, continuation };
      const page = await this.#bucket.list(question, limits(answerMs));
      if (page.kind !== "found") throw failed(page.kind === "absent" ? "the bucket is gone" : page.message);
      for (const { key } of page.objects) digests.push(`${algorithm}:${key.slice(prefix.length)}`);
      continuation = page.next;
    } while (continuation !== undefined);
    return digests;
  }

  async sweepDrafts(): Promise<number> {
    const left = await pathsIn(this.#layout.fills);
    await Promise.all(left.map(unlinkIfThere));
    return left.length;
  }
}

function keyOf(digest: Digest): string {
  const hex = hexOf(digest);
  return `blobs/${algorithmOf(digest)}/${hex.slice(0, 2)}/${hex}`;
}

function limits(timeoutMs: number): CallLimits {
  return { signal: new AbortController().signal, timeoutMs };
}

function failed(message: string): Failure {
  return new Failure({ code: "STORAGE_FAILED", message });
}
