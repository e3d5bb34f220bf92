import { afterEach, beforeEach, expect, test } from "bun:test";
import { Failure } from "../errors/failure.ts";
import type { ByteRange } from "../registry/remote.ts";
import { blobReplies, digestOf } from "../registry/testing/content.ts";
import { createLatch, type ScriptedReply } from "../registry/testing/scripted-reply.ts";
import { type ScriptedUpstream, startScriptedUpstream } from "../registry/testing/scripted-upstream.ts";
import { bucketAt } from "./testing/bucket-at.ts";

let store: ScriptedUpstream;
beforeEach(() => {
  store = startScriptedUpstream();
});
afterEach(() => store.stop());

const path = "/bucket/blobs/a";
const content = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);
const whole: ByteRange = { startByte: 0, endByte: undefined };
const checksum = Buffer.from(digestOf(content).slice(7), "hex").toString("base64");
const later: ByteRange = { startByte: 400, endByte: 500 };

test.each<[string, Readonly<Record<string, string>>, string | undefined]>([
  ["of the whole", { "x-amz-checksum-sha256": checksum }, digestOf(content)],
  ["of its parts", { "x-amz-checksum-sha256": `${checksum}-3` }, undefined],
  ["of its one part", { "x-amz-checksum-sha256": checksum, "x-amz-checksum-type": "COMPOSITE" }, undefined],
  ["that is none", { "x-amz-checksum-sha256": "hello" }, undefined],
  ["nowhere", {}, undefined],
])("HEAD with a checksum %s", async (_, headers, digest) => {
  const { bucket, limits } = bucketAt(store.url);
  store.on("HEAD", path, { headers: { ...headers, "Content-Type": "text/plain" }, body: content });
  const head: unknown = await bucket.head("a", limits);
  expect(head).toEqual({ kind: "found", sizeBytes: 1000, digest, mediaType: "text/plain" });
  expect(store.requests[0]?.headers.get("x-amz-checksum-mode")).toBe("ENABLED");
});

const noSuch = (code: string): ScriptedReply => ({ status: 404, body: `<Error><Code>${code}</Code></Error>` });

test.each<[string, ScriptedReply, object]>([
  ["NoSuchKey", noSuch("NoSuchKey"), { kind: "absent" }],
  ["404 without a code", { status: 404 }, { kind: "absent" }],
  ["NoSuchBucket", noSuch("NoSuchBucket"), { kind: "unavailable", reason: "failed", status: 404 }],
  ["410", { status: 410 }, { kind: "unavailable", reason: "failed", status: 410 }],
  ["403", { status: 403 }, { kind: "unavailable", reason: "denied", status: 403 }],
  ["416", { status: 416, body: "<Error><Code>InvalidRange</Code></Error>" }, { reason: "refused", status: 416 }],
  ["another range", { status: 206, headers: { "Content-Range": "bytes 0-99/1000" } }, { reason: "refused" }],
  ["a range too long", { status: 206, headers: { "Content-Range": "bytes 400-500/1000" } }, { reason: "refused" }],
  ["no range of its own", { status: 206 }, { reason: "refused", status: 206 }],
  ["an encoding", { headers: { "Content-Encoding": "gzip" }, body: content }, { reason: "refused" }],
  ["204", { status: 204 }, { reason: "refused", status: 204 }],
  ["the whole", { body: content }, { kind: "found", startByte: 0, sizeBytes: 1000 }],
])("GET of a range that is answered with %s", async (_, reply, expected) => {
  const { bucket, clock, limits } = bucketAt(store.url);
  store.on("GET", path, reply);
  const answer = await bucket.get("a", later, limits);
  expect(answer).toMatchObject(expected);
  if (answer.kind === "found") await answer.body.cancel();
  expect(clock.pending()).toBe(0);
});

test.each<[string, ByteRange, string | undefined, readonly [number, number]]>([
  ["whole", whole, undefined, [0, 1000]],
  ["from a byte on", { startByte: 400, endByte: undefined }, "bytes=400-", [400, 1000]],
  ["from a byte to a byte", later, "bytes=400-499", [400, 500]],
])("GET %s", async (_, range, header, part) => {
  const { bucket, clock, limits } = bucketAt(store.url);
  store.on("GET", path, blobReplies(content));
  const answer = await bucket.get("a", range, limits);
  if (answer.kind !== "found") throw new Error(JSON.stringify(answer));
  expect([answer.startByte, answer.sizeBytes]).toEqual([part[0], 1000]);
  expect(await new Response(answer.body).bytes()).toEqual(content.slice(...part));
  expect(store.requests[0]?.headers.get("range")).toBe(header);
  expect(clock.pending()).toBe(0);
});

async function failureOf(body: ReadableStream): Promise<unknown> {
  return await new Response(body).bytes().catch((error: unknown) => error);
}

test("a body that is cut is an error for its reader", async () => {
  const { bucket, limits } = bucketAt(store.url);
  store.on("GET", path, { body: content, cut: { at: 500, by: "rst" } });
  const answer = await bucket.get("a", whole, limits);
  if (answer.kind !== "found") throw new Error(JSON.stringify(answer));
  expect(await failureOf(answer.body)).toBeInstanceOf(Failure);
});

test.each([
  ["that stalls for 15 s", "UPSTREAM_TIMEOUT"],
  ["that is no longer wanted", "UPSTREAM_FAILED"],
])("a body %s is an error for its reader, and the time of the call is none of it", async (what, code) => {
  const { bucket, clock } = bucketAt(store.url);
  const caller = new AbortController();
  const latch = createLatch();
  store.on("GET", path, { body: content, hold: { at: 500, until: latch.opened } });
  const answer = await bucket.get("a", whole, { signal: caller.signal, timeoutMs: 5000 });
  if (answer.kind !== "found") throw new Error(JSON.stringify(answer));
  const reader = answer.body.getReader();
  for (let read = 0; read < 500; ) read += (await reader.read()).value?.length ?? 0;
  clock.advance(60_000);
  const next = reader.read().catch((error: unknown) => error);
  await new Promise((resolve) => setImmediate(resolve));
  if (what.includes("stalls")) clock.advance(15_000);
  else caller.abort();
  expect(await next).toMatchObject({ code });
  latch.open();
});

test("a key that cannot be one is refused without asking", async () => {
  const { bucket, limits } = bucketAt(store.url);
  expect(await bucket.head("../other", limits)).toMatchObject({ reason: "refused" });
  expect(await bucket.get("../other", whole, limits)).toMatchObject({ reason: "refused" });
  expect(await bucket.delete(["a", "../other"], limits)).toMatchObject({ reason: "refused" });
  expect(await bucket.presignGet("../other", 60)).toMatchObject({ reason: "refused" });
  expect(store.requests).toHaveLength(0);
});

test.each([0, 604_801, 1.5, Number.NaN])("a URL is not signed for %p s", async (expiresS) => {
  expect(await bucketAt(store.url).bucket.presignGet("a", expiresS)).toMatchObject({ reason: "refused" });
});

test("a URL is signed for the client's time, without asking anybody", async () => {
  const answer = await bucketAt(store.url).bucket.presignGet("sha256:ab", 60);
  if (answer.kind !== "found") throw new Error(JSON.stringify(answer));
  const url = new URL(answer.url);
  expect(`${url.origin}${url.pathname}`).toBe(`${store.url}/bucket/blobs/sha256%3Aab`);
  expect(url.searchParams.get("X-Amz-Date")).toBe("19700101T001640Z");
  expect(store.requests).toHaveLength(0);
});
