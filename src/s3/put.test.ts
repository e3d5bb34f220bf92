import { afterAll, afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestOf } from "../registry/testing/content.ts";
import { createLatch, hang, type ScriptedReply } from "../registry/testing/scripted-reply.ts";
import { type ScriptedUpstream, startScriptedUpstream } from "../registry/testing/scripted-upstream.ts";
import { unavailable } from "../registry/unavailable.ts";
import type { ObjectSource, ObjectToPut } from "./bucket.ts";
import { bucketAt } from "./testing/bucket-at.ts";
import { found, sourceFrom, sourceOf } from "./testing/sources.ts";

let store: ScriptedUpstream;
beforeEach(() => {
  store = startScriptedUpstream();
});
afterEach(() => store.stop());

const folder = await mkdtemp(join(tmpdir(), "periplus-s3-put-"));
afterAll(() => rm(folder, { recursive: true }));
const file = join(folder, "blob");

const bytes = new TextEncoder().encode("hello, store");
await Bun.write(file, bytes);
const digest = digestOf(bytes);
const checksum = Buffer.from(digest.slice(7), "hex").toString("base64");
const path = `/bucket/blobs/${encodeURIComponent(digest)}`;

function objectFrom(source: ObjectSource, changes: Partial<ObjectToPut> = {}): ObjectToPut {
  return { key: digest, digest, sizeBytes: bytes.length, source, ...changes };
}

test.each<[string, ObjectSource]>([
  ["a file", { kind: "file", path: file }],
  ["a stream", sourceOf(bytes)],
])("%s goes in one request that the store verifies and that overwrites nothing", async (_, source) => {
  const { bucket, clock, limits } = bucketAt(store.url);
  store.on("PUT", path, { status: 200 });
  const metadata = { "periplus-source": "registry.k8s.io/pause" };
  const object = objectFrom(source, { mediaType: "text/plain", cacheControl: "max-age=60", metadata });
  expect(await bucket.put(object, limits)).toEqual({ kind: "put" });
  expect(store.requests).toHaveLength(1);
  const [request] = store.requests;
  expect(request?.body).toBe("hello, store");
  expect(Object.fromEntries(request?.headers ?? [])).toMatchObject({
    "content-length": "12",
    "content-type": "text/plain",
    "cache-control": "max-age=60",
    "if-none-match": "*",
    "x-amz-checksum-sha256": checksum,
    "x-amz-content-sha256": digest.slice(7),
    "x-amz-meta-periplus-source": "registry.k8s.io/pause",
  });
  expect(request?.headers.get("authorization")).toContain("if-none-match");
  expect(clock.pending()).toBe(0);
});

test("an empty object", async () => {
  const { bucket, limits } = bucketAt(store.url);
  const empty = digestOf("");
  store.on("PUT", "/bucket/blobs/empty", { status: 200 });
  const object = { key: "empty", digest: empty, sizeBytes: 0, source: sourceOf(new Uint8Array(0)) };
  expect(await bucket.put(object, limits)).toEqual({ kind: "put" });
  expect(store.requests[0]?.headers.get("content-length")).toBe("0");
  expect(store.requests[0]?.headers.get("content-type")).toBe("application/octet-stream");
});

const same: ScriptedReply = { headers: { "x-amz-checksum-sha256": checksum }, body: bytes };
const taken: ScriptedReply = { status: 412, body: "<Error><Code>PreconditionFailed</Code></Error>" };
const conflict: ScriptedReply = { status: 409, body: "<Error><Code>ConditionalRequestConflict</Code></Error>" };

test.each<[string, ScriptedReply, ScriptedReply, object]>([
  ["412, and the same is there", taken, same, { kind: "already-there" }],
  ["409, and the same is there", conflict, same, { kind: "already-there" }],
  ["412, and its size is there without a checksum", taken, { body: bytes }, { kind: "already-there" }],
  [
    "412, and other bytes are there",
    taken,
    { headers: { "x-amz-checksum-sha256": `${"A".repeat(43)}=` }, body: bytes },
    { kind: "unavailable", reason: "refused", status: 412 },
  ],
  ["412, and another size is there", taken, { body: "x" }, { kind: "unavailable", reason: "refused", status: 412 }],
  ["412, and nothing is there", taken, { status: 404 }, { kind: "unavailable", reason: "failed", status: 412 }],
  ["412, and nobody may look", taken, { status: 403 }, { kind: "unavailable", reason: "failed", status: 412 }],
  ["wrong bytes", { status: 400, body: "<Error><Code>BadDigest</Code></Error>" }, same, { reason: "wrong-bytes" }],
  ["403", { status: 403, body: "<Error><Code>AccessDenied</Code></Error>" }, same, { reason: "denied" }],
])("a put that is answered with %s", async (_, put, head, expected) => {
  const { bucket, limits } = bucketAt(store.url);
  store.on("PUT", path, put);
  store.on("HEAD", path, head);
  const answer = await bucket.put(objectFrom(sourceOf(bytes)), limits);
  expect(answer).toMatchObject(expected);
  if (answer.kind === "unavailable") expect(answer.message).toStartWith(`PUT of s3://bucket/blobs/${digest}: `);
});

test.each<[string, readonly [ScriptedReply, ...ScriptedReply[]], object, number]>([
  ["that goes away", [conflict, { status: 200 }], { kind: "put" }, 2],
  ["that stays", [conflict], { kind: "unavailable", status: 409 }, 3],
])("a conflict %s", async (_, replies, expected, puts) => {
  const { bucket, limits } = bucketAt(store.url);
  store.on("PUT", path, replies);
  store.on("HEAD", path, { status: 404 });
  expect(await bucket.put(objectFrom(sourceOf(bytes)), limits)).toMatchObject(expected);
  expect(store.count("PUT", path)).toBe(puts);
});

test.each<[string, ObjectSource]>([
  ["a file", { kind: "file", path: file }],
  ["a stream", sourceOf(bytes)],
])("%s is sent again after a failure, and found there after a lost answer", async (_, source) => {
  const { bucket, limits } = bucketAt(store.url);
  store.on("PUT", path, [{ status: 500 }, { cut: { at: "head", by: "rst" } }, taken]);
  store.on("HEAD", path, same);
  expect(await bucket.put(objectFrom(source), limits)).toEqual({ kind: "already-there" });
  expect(store.requests.filter(({ method }) => method === "PUT").map(({ body }) => body)).toEqual(
    Array.from({ length: 3 }, () => "hello, store"),
  );
});

const half = bytes.slice(0, 6);

test.each<[string, ObjectSource, object]>([
  ["no file", { kind: "file", path: join(folder, "nothing") }, { kind: "absent" }],
  ["a file of another size", { kind: "file", path: import.meta.path }, { reason: "wrong-bytes" }],
  ["no source", sourceFrom(() => ({ kind: "absent" })), { kind: "absent" }],
  ["a source that fails", sourceFrom(() => unavailable("denied", "the upstream says no")), { reason: "denied" }],
  ["other bytes", sourceOf(new TextEncoder().encode("hello, stars")), { reason: "wrong-bytes" }],
  ["more bytes", sourceFrom(() => found(new Uint8Array(100), 0)), { reason: "wrong-bytes" }],
  ["a source that always ends early", sourceFrom((at) => found(half.subarray(at), at)), { reason: "failed" }],
  ["a source that begins too late", sourceFrom((at) => found(bytes, at + 1)), { reason: "refused" }],
])("%s puts nothing", async (_, source, expected) => {
  const { bucket, clock, limits } = bucketAt(store.url);
  expect(await bucket.put(objectFrom(source), limits)).toMatchObject(expected);
  expect(store.requests).toHaveLength(0);
  expect(clock.pending()).toBe(0);
});

test.each([
  ["where it was cut", (at: number) => found(bytes.subarray(at), at)],
  ["from the start, when it knows no ranges", () => found(bytes, 0)],
])("a source that is cut is opened again %s", async (_, again) => {
  const { bucket, limits } = bucketAt(store.url);
  const opened: number[] = [];
  const source = sourceFrom(() => found(half, 0, "error"), again);
  store.on("PUT", path, { status: 200 });
  const noted: ObjectSource = {
    kind: "stream",
    open: (at) => {
      opened.push(at);
      if (source.kind !== "stream") throw new Error("it is one");
      return source.open(at);
    },
  };
  expect(await bucket.put(objectFrom(noted), limits)).toEqual({ kind: "put" });
  expect([opened, store.requests[0]?.body]).toEqual([[0, 6], "hello, store"]);
});

test("a source that never gives a byte ends with the put's time", async () => {
  const { bucket, clock, limits } = bucketAt(store.url);
  const opened = createLatch();
  const source: ObjectSource = {
    kind: "stream",
    open: () => {
      opened.open();
      return new Promise(() => {});
    },
  };
  const answer = bucket.put(objectFrom(source), limits);
  await opened.opened;
  clock.advance(60_000);
  expect(await answer).toMatchObject({ kind: "unavailable", reason: "timeout" });
});

test("a put that is no longer wanted ends at once", async () => {
  const { bucket } = bucketAt(store.url);
  const caller = new AbortController();
  store.on("PUT", path, () => {
    caller.abort();
    return hang;
  });
  const answer = bucket.put(objectFrom({ kind: "file", path: file }), { signal: caller.signal, timeoutMs: 60_000 });
  expect(await answer).toMatchObject({ kind: "unavailable", reason: "cancelled" });
});
