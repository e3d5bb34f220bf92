import { afterAll, afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestOf } from "../registry/testing/content.ts";
import type { RecordedRequest } from "../registry/testing/http-wire.ts";
import { hang, type ScriptedReply } from "../registry/testing/scripted-reply.ts";
import { type ScriptedUpstream, startScriptedUpstream } from "../registry/testing/scripted-upstream.ts";
import type { ObjectSource, ObjectToPut, S3Bucket } from "./bucket.ts";
import { cutOf } from "./parts.ts";
import { bucketAt } from "./testing/bucket-at.ts";
import { found, sourceFrom, sourceOf } from "./testing/sources.ts";

let store: ScriptedUpstream;
beforeEach(() => {
  store = startScriptedUpstream();
});
afterEach(() => store.stop());

const folder = await mkdtemp(join(tmpdir(), "periplus-s3-multipart-"));
afterAll(() => rm(folder, { recursive: true }));

const path = "/bucket/blobs/a";
const mebibyte = 1024 * 1024;
const large = Uint8Array.from({ length: 8 * mebibyte + 5 }, (_, i) => i % 127);
// No store verifies a SHA-512, so it goes in parts however small it is.
const small = new TextEncoder().encode("hello");
const smallFile = join(folder, "small");
await Bun.write(smallFile, small);

function crc32Of(bytes: Uint8Array<ArrayBuffer>): string {
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(Bun.hash.crc32(bytes));
  return crc.toString("base64");
}

/** How a store answers the steps of an upload; well, where nothing is said. */
interface Steps {
  readonly head?: ScriptedReply;
  readonly create?: ScriptedReply;
  readonly part?: (request: RecordedRequest, nth: number) => ScriptedReply;
  readonly complete?: (nth: number) => ScriptedReply;
}

const created: ScriptedReply = { body: "<R><UploadId>id+1/&amp;</UploadId></R>" };
const completed: ScriptedReply = { body: "<CompleteMultipartUploadResult/>" };

function script(steps: Steps): void {
  let completions = 0;
  store.on("HEAD", path, steps.head ?? { status: 404 });
  store.on("POST", path, ({ target }) => {
    if (target.endsWith("?uploads=")) return steps.create ?? created;
    completions += 1;
    return steps.complete?.(completions) ?? completed;
  });
  store.on("PUT", path, (request, nth) => {
    const number = /partNumber=(\d+)/.exec(request.target)?.[1] ?? "";
    return steps.part?.(request, nth) ?? { headers: { ETag: `"etag&${number}"` } };
  });
  store.on("DELETE", path, { status: 204 });
}

function smallFrom(source: ObjectSource, changes: Partial<ObjectToPut> = {}): ObjectToPut {
  return { key: "a", digest: digestOf(small, "sha512"), sizeBytes: small.length, source, ...changes };
}

async function putSmall(bucket: S3Bucket, source: ObjectSource = sourceOf(small)): Promise<unknown> {
  return await bucket.put(smallFrom(source), { signal: new AbortController().signal, timeoutMs: 60_000 });
}

const aborted = (): number => store.count("DELETE", path);

test("parts go with their checksums, and become the object only if nothing is there", async () => {
  const { bucket, clock, limits } = bucketAt(store.url);
  script({});
  const object = {
    key: "a",
    digest: digestOf(large),
    sizeBytes: large.length,
    source: sourceOf(large),
    mediaType: "x/y",
  };
  expect(await bucket.put({ ...object, cacheControl: "max-age=1", metadata: { m: "1" } }, limits)).toEqual({
    kind: "put",
  });
  const [head, create, ...rest] = store.requests;
  expect([head?.method, create?.target]).toEqual(["HEAD", `${path}?uploads=`]);
  expect(Object.fromEntries(create?.headers ?? [])).toMatchObject({
    "content-type": "x/y",
    "cache-control": "max-age=1",
    "x-amz-meta-m": "1",
    "x-amz-checksum-algorithm": "CRC32",
  });
  const parts = rest.filter(({ method }) => method === "PUT").toSorted((a, b) => (a.target < b.target ? -1 : 1));
  expect(parts.map(({ target }) => target)).toEqual([
    `${path}?partNumber=1&uploadId=id%2B1%2F%26`,
    `${path}?partNumber=2&uploadId=id%2B1%2F%26`,
  ]);
  const cut = [large.subarray(0, 8 * mebibyte), large.subarray(8 * mebibyte)];
  expect(parts.map(({ headers }) => headers.get("x-amz-checksum-crc32"))).toEqual(cut.map(crc32Of));
  expect(parts.map(({ body }) => digestOf(body))).toEqual(cut.map((bytes) => digestOf(bytes)));
  const complete = rest.at(-1);
  expect(complete?.target).toBe(`${path}?uploadId=id%2B1%2F%26`);
  expect(complete?.headers.get("if-none-match")).toBe("*");
  const listed = cut.map(
    (bytes, index) =>
      `<Part><PartNumber>${index + 1}</PartNumber><ETag>&quot;etag&amp;${index + 1}&quot;</ETag><ChecksumCRC32>${crc32Of(bytes)}</ChecksumCRC32></Part>`,
  );
  expect(complete?.body).toContain(listed.join(""));
  expect([aborted(), clock.pending()]).toEqual([0, 0]);
});

test("a file goes in parts too", async () => {
  script({});
  const answer = await putSmall(bucketAt(store.url).bucket, { kind: "file", path: smallFile });
  expect(answer).toEqual({ kind: "put" });
  const part = store.requests.find(({ method }) => method === "PUT");
  expect([part?.body, part?.headers.get("x-amz-checksum-crc32")]).toEqual(["hello", crc32Of(small)]);
});

test.each<[string, Steps, object]>([
  ["is there already", { head: { body: small } }, { kind: "already-there" }],
  ["is there as something else", { head: { body: "x" } }, { kind: "unavailable", status: 412 }],
  ["is not to be looked at", { head: { status: 403 } }, { kind: "put" }],
  ["cannot be asked for", { head: { status: 400 } }, { kind: "unavailable", status: 400 }],
  ["may not be uploaded", { create: { status: 403 } }, { reason: "denied" }],
  ["gets no id", { create: { body: "<R/>" } }, { reason: "refused" }],
])("an object that %s", async (_, steps, expected) => {
  script(steps);
  expect(await putSmall(bucketAt(store.url).bucket)).toMatchObject(expected);
  expect(aborted()).toBe(0);
});

test("a part that fails is sent again", async () => {
  script({ part: (_, nth) => (nth < 3 ? { status: 503 } : { headers: { ETag: "e" } }) });
  expect(await putSmall(bucketAt(store.url).bucket)).toEqual({ kind: "put" });
  expect(store.requests.filter(({ method }) => method === "PUT").map(({ body }) => body)).toEqual([
    "hello",
    "hello",
    "hello",
  ]);
});

const error = (code: string, status = 200): ScriptedReply => ({ status, body: `<Error><Code>${code}</Code></Error>` });

test.each<[string, Steps, object]>([
  ["a part that is refused", { part: () => error("AccessDenied", 403) }, { reason: "denied" }],
  ["a part that arrives otherwise", { part: () => error("BadDigest", 400) }, { reason: "wrong-bytes" }],
  ["a part without an ETag", { part: () => ({ status: 200 }) }, { reason: "refused" }],
  ["a completion that is refused", { complete: () => error("InvalidPart", 400) }, { status: 400 }],
  ["a completion that fails in its body", { complete: () => error("InternalError") }, { reason: "failed" }],
  ["a completion that is no XML", { complete: () => ({ body: "well" }) }, { reason: "refused" }],
  ["a completion when another was put", { complete: () => error("PreconditionFailed", 412) }, { status: 412 }],
])("%s ends the upload, which is aborted", async (_, steps, expected) => {
  script(steps);
  expect(await putSmall(bucketAt(store.url).bucket)).toMatchObject({ kind: "unavailable", ...expected });
  expect(aborted()).toBe(1);
});

test.each<[string, (nth: number) => ScriptedReply, object, number]>([
  ["fails once in its body", (nth) => (nth === 1 ? error("InternalError") : completed), { kind: "put" }, 0],
  [
    "loses its answer",
    (nth) => (nth === 1 ? { status: 502 } : error("NoSuchUpload", 404)),
    { kind: "already-there" },
    1,
  ],
  ["comes second", () => error("PreconditionFailed", 412), { kind: "already-there" }, 1],
  ["meets another", () => error("ConditionalRequestConflict", 409), { kind: "already-there" }, 1],
])("a completion that %s", async (_, complete, expected, aborts) => {
  script({ complete });
  let heads = 0;
  store.on("HEAD", path, () => (++heads === 1 ? { status: 404 } : { body: small }));
  expect(await putSmall(bucketAt(store.url).bucket)).toEqual(expected);
  expect(aborted()).toBe(aborts);
});

test.each<[string, ObjectSource, object]>([
  ["other bytes", sourceOf(new TextEncoder().encode("hellO")), { reason: "wrong-bytes" }],
  ["more bytes", sourceFrom(() => found(new Uint8Array(100), 0)), { reason: "wrong-bytes" }],
  ["nothing", sourceFrom(() => ({ kind: "absent" })), { kind: "absent" }],
  ["too little", sourceFrom((at) => found(small.subarray(at, 3), at)), { reason: "failed" }],
  ["a file that is shorter", { kind: "file", path: join(folder, "short") }, { reason: "wrong-bytes" }],
])("a source of %s makes no object, and the upload is aborted", async (_, source, expected) => {
  await Bun.write(join(folder, "short"), "he");
  script({});
  expect(await putSmall(bucketAt(store.url).bucket, source)).toMatchObject(expected);
  expect(store.requests.filter(({ target }) => target.includes("?uploadId="))).toHaveLength(aborted());
  expect(aborted()).toBe(1);
});

test("no file is absent, and nothing is uploaded", async () => {
  script({});
  const answer = await putSmall(bucketAt(store.url).bucket, { kind: "file", path: join(folder, "nothing") });
  expect(answer).toEqual({ kind: "absent" });
  expect(store.count("POST", path)).toBe(0);
});

test("an upload that is no longer wanted is aborted all the same", async () => {
  const caller = new AbortController();
  script({
    part: () => {
      caller.abort();
      return hang;
    },
  });
  const { bucket } = bucketAt(store.url);
  const answer = await bucket.put(smallFrom(sourceOf(small)), { signal: caller.signal, timeoutMs: 60_000 });
  expect(answer).toMatchObject({ kind: "unavailable", reason: "cancelled" });
  expect(aborted()).toBe(1);
});

test.each([
  [0, { partBytes: 8 * mebibyte, parts: 1, atOnce: 1 }],
  [8 * mebibyte, { partBytes: 8 * mebibyte, parts: 1, atOnce: 1 }],
  [8 * mebibyte + 1, { partBytes: 8 * mebibyte, parts: 2, atOnce: 2 }],
  [80_000 * mebibyte, { partBytes: 8 * mebibyte, parts: 10_000, atOnce: 3 }],
  [80_000 * mebibyte + 1, { partBytes: 16 * mebibyte, parts: 5001, atOnce: 1 }],
  [320_000 * mebibyte, { partBytes: 32 * mebibyte, parts: 10_000, atOnce: 1 }],
  [320_000 * mebibyte + 1, undefined],
])("%p bytes are cut so that 10,000 parts are enough and memory is bounded", (sizeBytes, cut) => {
  expect(cutOf(sizeBytes)).toEqual(cut);
});
