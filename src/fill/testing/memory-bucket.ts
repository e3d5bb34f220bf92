import { algorithmOf, digestFrom } from "../../reference/digest.ts";
import type { Unavailable } from "../../registry/remote.ts";
import { unavailable } from "../../registry/unavailable.ts";
import type { ListedObject, ObjectToPut, PutAnswer, S3Bucket } from "../../s3/bucket.ts";

/** An S3 bucket in memory that records what it is asked and lists in the order of its keys. */
export class MemoryBucket implements S3Bucket {
  readonly objects: Map<string, Uint8Array<ArrayBuffer>> = new Map();
  readonly puts: ObjectToPut[] = [];
  readonly asked: { lists: number; heads: number; gets: number } = { lists: 0, heads: 0, gets: 0 };
  /** What is answered in place of an answer, by method. */
  instead: (method: "head" | "list" | "get" | "put" | "delete", key: string) => Unavailable | undefined = () =>
    undefined;
  readonly name: string;
  readonly #pageKeys: number;

  constructor(name = "s3://memory", pageKeys = 1000) {
    this.name = name;
    this.#pageKeys = pageKeys;
  }

  async head(key: string): ReturnType<S3Bucket["head"]> {
    this.asked.heads++;
    const bytes = this.objects.get(key);
    const instead = this.instead("head", key);
    if (instead !== undefined) return instead;
    if (bytes === undefined) return { kind: "absent" };
    return { kind: "found", sizeBytes: bytes.byteLength, digest: undefined, mediaType: undefined };
  }

  async get(key: string, { startByte }: Parameters<S3Bucket["get"]>[1]): ReturnType<S3Bucket["get"]> {
    this.asked.gets++;
    const bytes = this.objects.get(key);
    const instead = this.instead("get", key);
    if (instead !== undefined) return instead;
    if (bytes === undefined) return { kind: "absent" };
    const body = new Blob([bytes.slice(startByte)]).stream();
    return { kind: "found", body, startByte, sizeBytes: bytes.byteLength, ended: Promise.resolve() };
  }

  async put(object: ObjectToPut, { signal }: Parameters<S3Bucket["put"]>[1]): Promise<PutAnswer> {
    this.puts.push(object);
    const instead = this.instead("put", object.key);
    if (instead !== undefined) return instead;
    if (signal.aborted) return unavailable("cancelled", "stopped");
    if (object.source.kind !== "file") return unavailable("refused", "no file");
    const bytes = await Bun.file(object.source.path).bytes();
    const algorithm = algorithmOf(object.digest);
    const digest = digestFrom(algorithm, new Bun.CryptoHasher(algorithm).update(bytes).digest("hex"));
    if (digest !== object.digest) return unavailable("failed", "BadDigest", { status: 400 });
    const there = this.objects.get(object.key);
    if (there === undefined) {
      this.objects.set(object.key, bytes);
      return { kind: "put" };
    }
    if (there.byteLength === object.sizeBytes) return { kind: "already-there" };
    return unavailable("refused", "an object of another size is there", { status: 412 });
  }

  async delete(keys: readonly string[]): ReturnType<S3Bucket["delete"]> {
    const instead = this.instead("delete", keys.join());
    if (instead !== undefined) return instead;
    for (const key of keys) this.objects.delete(key);
    return { kind: "deleted" };
  }

  async list({ prefix = "", continuation = "" }: Parameters<S3Bucket["list"]>[0]): ReturnType<S3Bucket["list"]> {
    this.asked.lists++;
    const instead = this.instead("list", prefix);
    if (instead !== undefined) return instead;
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix) && key > continuation).toSorted();
    const page = keys.slice(0, this.#pageKeys);
    const objects = page.map((key): ListedObject => {
      return { key, sizeBytes: this.objects.get(key)?.byteLength ?? 0, modifiedEpochMs: undefined };
    });
    return { kind: "found", objects, next: keys.length > page.length ? page.at(-1) : undefined };
  }

  async presignGet(): ReturnType<S3Bucket["presignGet"]> {
    return { kind: "absent" };
  }
}
