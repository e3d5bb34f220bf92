import { afterEach, beforeEach, expect, test } from "bun:test";
import { Failure } from "../errors/failure.ts";
import type { BlobStream, ByteRange } from "./remote.ts";
import { clientOf } from "./testing/client.ts";
import { blobReplies, digestOf, repository } from "./testing/content.ts";
import { createLatch, type ScriptedReply } from "./testing/scripted-reply.ts";
import { type ScriptedUpstream, startScriptedUpstream } from "./testing/scripted-upstream.ts";

let upstream: ScriptedUpstream;
beforeEach(() => {
  upstream = startScriptedUpstream();
});
afterEach(() => upstream.stop());

const name = repository("kube/pause");
const content = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);
const digest = digestOf(content);
const path = `/v2/kube/pause/blobs/${digest}`;
const oneAtOnce = { upstream: { budget: { requests: undefined, perMs: 1, concurrent: 1 } } };
const whole: ByteRange = { startByte: 0, endByte: undefined };

function found<T extends { readonly kind: string }>(answer: T): Extract<T, { readonly kind: "found" }> {
  if (answer.kind !== "found") throw new Error(JSON.stringify(answer));
  return answer as Extract<T, { readonly kind: "found" }>;
}

async function bytesOf({ body }: BlobStream): Promise<Uint8Array> {
  return await new Response(body).bytes();
}

interface RangeCase {
  readonly range: ByteRange;
  readonly header: string | undefined;
  readonly part: readonly [number, number];
}

test.each<[string, RangeCase]>([
  ["whole", { range: whole, header: undefined, part: [0, 1000] }],
  ["from a byte on", { range: { startByte: 400, endByte: undefined }, header: "bytes=400-", part: [400, 1000] }],
  ["up to a byte", { range: { startByte: 0, endByte: 10 }, header: "bytes=0-9", part: [0, 10] }],
  ["from a byte to a byte", { range: { startByte: 999, endByte: 1000 }, header: "bytes=999-999", part: [999, 1000] }],
  ["past the end", { range: { startByte: 990, endByte: 5000 }, header: "bytes=990-4999", part: [990, 1000] }],
])("a blob %s", async (_, { range, header, part }) => {
  const { registry, limits } = clientOf(upstream.url);
  upstream.on("GET", path, blobReplies(content));
  const answer = found(await registry.getBlob(name, digest, range, limits));
  expect([answer.startByte, answer.sizeBytes]).toEqual([part[0], 1000]);
  expect(await bytesOf(answer)).toEqual(content.slice(...part));
  expect(upstream.requests[0]?.headers.get("range")).toBe(header);
});

const later: ByteRange = { startByte: 400, endByte: 500 };

test.each<[string, ByteRange, ScriptedReply, object]>([
  [
    "the whole although a range was asked for",
    later,
    { body: content },
    { kind: "found", startByte: 0, sizeBytes: 1000 },
  ],
  ["a length that nobody knows", whole, { body: content, length: "chunked" }, { kind: "found", sizeBytes: undefined }],
  ["no bytes at all", whole, { body: "" }, { kind: "found", sizeBytes: 0 }],
  [
    "a part of unknown whole",
    later,
    { status: 206, headers: { "Content-Range": "bytes 400-499/*" }, body: content.subarray(400, 500) },
    { kind: "found", startByte: 400, sizeBytes: undefined },
  ],
  [
    "a shorter part",
    later,
    { status: 206, headers: { "Content-Range": "bytes 400-449/1000" }, body: content.subarray(400, 450) },
    { kind: "found", startByte: 400, sizeBytes: 1000 },
  ],
  ["another part", later, { status: 206, headers: { "Content-Range": "bytes 300-399/1000" } }, { reason: "refused" }],
  ["a longer part", later, { status: 206, headers: { "Content-Range": "bytes 400-500/1000" } }, { reason: "refused" }],
  ["a part it does not name", later, { status: 206, body: "x" }, { reason: "refused" }],
  [
    "parts of it",
    later,
    { status: 206, headers: { "Content-Type": "multipart/byteranges; boundary=x" } },
    { reason: "refused" },
  ],
  [
    "a part that nobody asked for",
    whole,
    { status: 206, headers: { "Content-Range": "bytes 5-9/10" } },
    { reason: "refused" },
  ],
  [
    "no such part",
    later,
    { status: 416, headers: { "Content-Range": "bytes */300" } },
    { reason: "refused", status: 416 },
  ],
  [
    "a packed body",
    whole,
    { headers: { "Content-Encoding": "gzip" }, body: Bun.gzipSync(content) },
    { reason: "refused" },
  ],
  ["404", whole, { status: 404 }, { kind: "absent" }],
  ["403", whole, { status: 403 }, { reason: "denied" }],
  ["429", whole, { status: 429 }, { reason: "rate-limited" }],
  ["500", whole, { status: 500 }, { reason: "failed" }],
])("a GET that is answered with %s", async (_, range, reply, expected) => {
  const { registry, limits } = clientOf(upstream.url, oneAtOnce);
  upstream.on("GET", path, reply);
  const answer = await registry.getBlob(name, digest, range, limits);
  expect(answer).toMatchObject(expected);
  if (answer.kind === "found") await answer.body.cancel();
  upstream.on("HEAD", path, { body: content });
  const next = await registry.headBlob(name, digest, limits);
  if (!("reason" in expected && expected.reason === "rate-limited"))
    expect(next).toEqual({ kind: "found", sizeBytes: 1000 });
});

test.each<[string, ScriptedReply, object]>([
  ["a length", { body: content }, { kind: "found", sizeBytes: 1000 }],
  ["no length", { body: content, length: "chunked" }, { kind: "found", sizeBytes: undefined }],
  ["404", { status: 404 }, { kind: "absent" }],
  ["405", { status: 405 }, { kind: "unavailable", reason: "failed" }],
])("a HEAD that is answered with %s", async (_, reply, expected) => {
  const { registry, limits } = clientOf(upstream.url);
  upstream.on("HEAD", path, reply);
  expect(await registry.headBlob(name, digest, limits)).toMatchObject(expected);
});

const cuts = [0, 1, 500, 999].flatMap((at) => [{ at, by: "fin" } as const, { at, by: "rst" } as const]);

test.each(cuts)("a blob that is cut at $at by $by breaks for its reader and frees its place", async (cut) => {
  const { registry, limits } = clientOf(upstream.url, oneAtOnce);
  upstream.on("GET", path, { body: content, cut });
  const answer = await registry.getBlob(name, digest, whole, limits);
  if (answer.kind === "found") {
    const broken = await bytesOf(answer).catch((error: unknown) => error);
    expect(broken).toBeInstanceOf(Failure);
  } else expect(answer).toMatchObject({ reason: "unreachable" });
  upstream.on("GET", path, blobReplies(content));
  const rest = found(await registry.getBlob(name, digest, { startByte: cut.at, endByte: undefined }, limits));
  expect(await bytesOf(rest)).toEqual(content.slice(cut.at));
});

test("a stream holds its place until it is over; who waits longer than its time gets none", async () => {
  const { registry, clock, limits } = clientOf(upstream.url, oneAtOnce);
  upstream.on("GET", path, { body: content, hold: { at: 10, until: createLatch().opened } });
  upstream.on("HEAD", path, { body: content });
  const stream = found(await registry.getBlob(name, digest, whole, limits));
  const waiting = registry.headBlob(name, digest, limits);
  clock.advance(5000);
  expect(await waiting).toMatchObject({ reason: "timeout" });
  expect(upstream.count("HEAD", path)).toBe(0);
  const patient = registry.headBlob(name, digest, limits);
  await stream.body.cancel();
  expect(await patient).toMatchObject({ kind: "found" });
});

test("the time limit ends with the headers, the caller's signal ends the stream", async () => {
  const { registry, clock } = clientOf(upstream.url);
  const caller = new AbortController();
  const latch = createLatch();
  upstream.on("GET", path, [
    { body: content, hold: { at: 10, until: latch.opened } },
    { body: content, hold: { at: 10, until: createLatch().opened } },
  ]);
  const limits = { signal: caller.signal, timeoutMs: 5000 };
  const first = found(await registry.getBlob(name, digest, whole, limits));
  clock.advance(60_000);
  latch.open();
  expect(await bytesOf(first)).toEqual(content);
  const second = found(await registry.getBlob(name, digest, whole, limits));
  caller.abort();
  expect(await bytesOf(second).catch((error: unknown) => error)).toBeInstanceOf(Failure);
  expect(clock.pending()).toBe(0);
});

test("bytes beyond the announced length never reach the reader", async () => {
  const { registry, limits } = clientOf(upstream.url);
  upstream.on("GET", path, { body: content, length: 900 });
  const answer = found(await registry.getBlob(name, digest, whole, limits));
  expect(answer.sizeBytes).toBe(900);
  expect(await bytesOf(answer)).toEqual(content.slice(0, 900));
});
