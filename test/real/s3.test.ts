import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { resolveTarget } from "../../src/net/egress.ts";
import { type Digest, digestFrom } from "../../src/reference/digest.ts";
import type { ByteRange, CallLimits } from "../../src/registry/remote.ts";
import type { ObjectSource, PutAnswer, S3Bucket } from "../../src/s3/bucket.ts";
import { createS3Bucket, type S3BucketOptions } from "../../src/s3/client.ts";
import { listPages } from "../../src/s3/list.ts";
import { type TemporaryFolder, temporaryFolder } from "./process.ts";
import { type S3Server, type S3ServerOptions, startS3Server } from "./s3-server.ts";

const mebibyte = 1024 * 1024;
const whole: ByteRange = { startByte: 0, endByte: undefined };

function limits(): CallLimits {
  return { signal: new AbortController().signal, timeoutMs: 60_000 };
}

async function bucketOf(
  server: S3Server,
  changes: Partial<S3BucketOptions["settings"]> = {},
  options: Partial<S3BucketOptions> = {},
): Promise<S3Bucket> {
  const settings = {
    bucket: "blobs",
    prefix: "of/ours",
    endpoint: server.endpoint,
    region: server.region,
    pathStyle: true,
    credentials: { kind: "none" },
    ca: server.caFile === undefined ? undefined : await Bun.file(server.caFile).text(),
    insecure: false,
    proxy: undefined,
    mayBePrivate: true,
    ...changes,
  } as const;
  return createS3Bucket({ settings, credentials: () => Promise.resolve(server.credential), ...options });
}

/** Bytes of which nobody has another copy. */
interface Made {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly digest: Digest;
  readonly file: ObjectSource;
  readonly stream: ObjectSource;
}

async function make(folder: string, sizeBytes: number): Promise<Made> {
  const bytes = new Uint8Array(randomBytes(sizeBytes));
  const digest = digestFrom("sha256", new Bun.CryptoHasher("sha256").update(bytes).digest("hex"));
  const path = join(folder, digest);
  await writeFile(path, bytes);
  const open = (startByte: number) =>
    Promise.resolve({
      kind: "found" as const,
      body: new Blob([bytes.subarray(startByte)]).stream(),
      startByte,
      sizeBytes,
    });
  return { bytes, digest, file: { kind: "file", path }, stream: { kind: "stream", open } };
}

async function put(bucket: S3Bucket, made: Made, source: ObjectSource, key: string = made.digest): Promise<PutAnswer> {
  return await bucket.put({ key, digest: made.digest, sizeBytes: made.bytes.length, source }, limits());
}

async function read(bucket: S3Bucket, key: string, range: ByteRange = whole): Promise<Uint8Array> {
  const answer = await bucket.get(key, range, limits());
  if (answer.kind !== "found") throw new Error(JSON.stringify(answer));
  return await new Response(answer.body).bytes();
}

/** Every file of the store, but for what it keeps for itself. */
async function filesOf(server: S3Server): Promise<readonly string[]> {
  const found = await readdir(server.dataFolder, { recursive: true, withFileTypes: true });
  return found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await temporaryFolder("s3-test");
});
afterAll(() => folder[Symbol.asyncDispose]());

describe.each<[string, Partial<S3ServerOptions>]>([
  ["over plain HTTP", {}],
  ["over TLS", { tls: true }],
])("versitygw %s", (_, options) => {
  let server: S3Server;
  let bucket: S3Bucket;
  beforeAll(async () => {
    server = await startS3Server({ buckets: ["blobs"], ...options });
    bucket = await bucketOf(server);
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test.each([
    ["a small file", "file", 12_345],
    ["an empty file", "file", 0],
    ["a file in one request", "file", 100 * mebibyte],
    ["a file in parts", "file", 129 * mebibyte + 1],
    ["a small stream", "stream", 12_345],
    ["a stream in one request", "stream", 8 * mebibyte],
    ["a stream in parts", "stream", 33 * mebibyte + 1],
  ] as const)("%s is put once, and is what it was", async (_, kind, sizeBytes) => {
    const made = await make(folder.path, sizeBytes);
    expect(await put(bucket, made, made[kind])).toEqual({ kind: "put" });
    expect(await put(bucket, made, made[kind])).toEqual({ kind: "already-there" });
    const head = await bucket.head(made.digest, limits());
    expect(head).toMatchObject({ kind: "found", sizeBytes, mediaType: "application/octet-stream" });
    const bytes = await read(bucket, made.digest);
    expect(new Bun.CryptoHasher("sha256").update(bytes).digest("hex")).toBe(made.digest.slice(7));
    expect(await bucket.delete([made.digest], limits())).toEqual({ kind: "deleted" });
    expect(await bucket.head(made.digest, limits())).toEqual({ kind: "absent" });
  });

  test.each([
    ["in one request", 1000],
    ["in parts", 129 * mebibyte],
  ])("a file that is not what its digest says leaves nothing, %s", async (_, sizeBytes) => {
    const made = await make(folder.path, sizeBytes);
    const other = await make(folder.path, sizeBytes);
    const before = await filesOf(server);
    expect(await put(bucket, made, other.file)).toMatchObject({ kind: "unavailable", reason: "wrong-bytes" });
    expect(await bucket.head(made.digest, limits())).toEqual({ kind: "absent" });
    expect(await filesOf(server)).toEqual(before);
  });

  test("another object is never overwritten", async () => {
    const [one, other] = [await make(folder.path, 100), await make(folder.path, 100)];
    expect(await put(bucket, one, one.file, "taken")).toEqual({ kind: "put" });
    expect(await put(bucket, other, other.file, "taken")).toMatchObject({ kind: "unavailable", status: 412 });
    expect(await read(bucket, "taken")).toEqual(one.bytes);
  });

  test.each([
    ["small", 1000],
    ["in parts", 9 * mebibyte],
  ])("of many who put the same at once all succeed: %s", async (_, sizeBytes) => {
    const made = await make(folder.path, sizeBytes);
    const answers = await Promise.all(Array.from({ length: 6 }, () => put(bucket, made, made.stream)));
    expect(answers.filter(({ kind }) => kind !== "put" && kind !== "already-there")).toEqual([]);
    expect(answers.some(({ kind }) => kind === "put")).toBe(true);
    expect(await read(bucket, made.digest)).toEqual(made.bytes);
  });

  test("ranges", async () => {
    const made = await make(folder.path, 100_000);
    await put(bucket, made, made.file);
    expect(await read(bucket, made.digest, { startByte: 99_000, endByte: undefined })).toEqual(
      made.bytes.slice(99_000),
    );
    expect(await read(bucket, made.digest, { startByte: 10, endByte: 20 })).toEqual(made.bytes.slice(10, 20));
    const past = await bucket.get(made.digest, { startByte: 100_000, endByte: undefined }, limits());
    expect(past).toMatchObject({ kind: "unavailable", reason: "refused", status: 416 });
  });

  test("what is kept with an object, and a URL to it for anybody, for a while", async () => {
    const made = await make(folder.path, 1000);
    const object = { key: "a b+c/é!'()*&=:@", digest: made.digest, sizeBytes: 1000, source: made.file };
    const kept = { mediaType: "text/plain", cacheControl: "max-age=60", metadata: { from: "registry.k8s.io" } };
    expect(await bucket.put({ ...object, ...kept }, limits())).toEqual({ kind: "put" });
    const signed = await bucket.presignGet(object.key, 60);
    if (signed.kind !== "found") throw new Error(JSON.stringify(signed));
    const tls = { rejectUnauthorized: false };
    const response = await fetch(signed.url, { tls });
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "text/plain",
      "cache-control": "max-age=60",
      "x-amz-meta-from": "registry.k8s.io",
    });
    expect(await response.bytes()).toEqual(made.bytes);
    expect((await fetch(signed.url.replace("Expires=60", "Expires=61"), { tls })).status).toBe(403);
    expect((await fetch(signed.url.split("?")[0] ?? "", { tls })).status).toBe(403);
  });

  test("lists and deletions", async () => {
    const listed = await bucketOf(server, { prefix: "listed" });
    const made = await make(folder.path, 10);
    const keys = ["a b", "a&b", "a+b", "a/1", "a/2", "é", "b"];
    for (const key of keys) await put(listed, made, made.stream, key);
    const first = await listed.list({ maxKeys: 3 }, limits());
    expect(first).toMatchObject({ kind: "found", objects: [{ sizeBytes: 10 }, {}, {}], next: expect.any(String) });
    const seen: string[] = [];
    const small = {
      ...listed,
      list: (question: object, of: CallLimits) => listed.list({ ...question, maxKeys: 2 }, of),
    };
    for await (const page of listPages(small, { maxObjects: 100 }, limits())) {
      if (page.kind === "found") seen.push(...page.objects.map(({ key }) => key));
    }
    expect(seen.toSorted()).toEqual(keys.toSorted());
    const below = await listed.list({ prefix: "a/" }, limits());
    expect(below).toMatchObject({ objects: [{ key: "a/1" }, { key: "a/2" }] });
    expect(await listed.delete([...keys, "never"], limits())).toEqual({ kind: "deleted" });
    expect(await listed.list({}, limits())).toEqual({ kind: "found", objects: [], next: undefined });
  });
});

describe("versitygw", () => {
  let server: S3Server;
  beforeAll(async () => {
    server = await startS3Server({ buckets: ["blobs"], virtualDomain: "localhost" });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test("a bucket as the first label of the host", async () => {
    const bucket = await bucketOf(
      server,
      { endpoint: `http://localhost:${server.port}`, pathStyle: false },
      {
        egress: (url, policy, signal) =>
          resolveTarget(url, policy, { lookup: () => Promise.resolve(["127.0.0.1"]), signal }),
      },
    );
    const made = await make(folder.path, 1000);
    expect(await put(bucket, made, made.file)).toEqual({ kind: "put" });
    expect(await read(bucket, made.digest)).toEqual(made.bytes);
    expect(await bucket.list({}, limits())).toMatchObject({ kind: "found", objects: [{ key: made.digest }] });
  });

  test.each<[string, Partial<S3BucketOptions["settings"]>, Partial<S3BucketOptions>, string]>([
    [
      "a wrong secret",
      {},
      { credentials: () => Promise.resolve({ ...server.credential, secretAccessKey: "wrong" }) },
      "SignatureDoesNotMatch; check the secret access key and the region",
    ],
    [
      "an unknown key",
      {},
      { credentials: () => Promise.resolve({ ...server.credential, accessKeyId: "nobody" }) },
      "the store does not know the access key",
    ],
    ["nobody", {}, { credentials: () => Promise.resolve(undefined) }, "AccessDenied"],
    ["another region", { region: "us-west-2" }, {}, "the bucket is in region eu-test-1; say so in region"],
    ["another bucket", { bucket: "other" }, {}, "NoSuchBucket; there is no such bucket"],
  ])("%s is explained", async (_, settings, options, message) => {
    const bucket = await bucketOf(server, settings, options);
    const answer = await bucket.list({}, limits());
    expect(answer.kind === "unavailable" ? answer.message : answer).toContain(message);
  });

  test("a store that is gone is unreachable, and a put to it ends", async () => {
    const gone = await startS3Server({ buckets: ["blobs"] });
    const bucket = await bucketOf(gone, {}, { random: () => 0 });
    await gone[Symbol.asyncDispose]();
    const made = await make(folder.path, 9 * mebibyte);
    expect(await put(bucket, made, made.stream)).toMatchObject({ kind: "unavailable", reason: "unreachable" });
  });
});
