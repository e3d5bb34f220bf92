import { afterEach, beforeEach, expect, test } from "bun:test";
import type { Answer, BlobStream } from "./remote.ts";
import { bytesOf, sourceOf, streamOf, type TestSource } from "./testing/blob-to-push.ts";
import { clientOf, type TestClient } from "./testing/client.ts";
import { digestOf, repository } from "./testing/content.ts";
import type { Intake, ScriptedReply } from "./testing/scripted-reply.ts";
import { type ScriptedUpstream, startScriptedUpstream } from "./testing/scripted-upstream.ts";
import { takeUploads, type UploadTarget, type UploadTargetOptions } from "./testing/upload-target.ts";
import { unavailable } from "./unavailable.ts";
import type { PushedBlob } from "./writable.ts";

let upstream: ScriptedUpstream;
beforeEach(() => {
  upstream = startScriptedUpstream();
});
afterEach(() => upstream.stop());

const name = repository("kube/pause");
const MiB = 1024 * 1024;
const content = bytesOf(9 * MiB);
const digest = digestOf(content);

function push(source: TestSource, client: TestClient = clientOf(upstream.url)): Promise<PushedBlob> {
  return client.registry.pushBlob(name, source.blob, client.limits);
}

function asked(): readonly string[] {
  return upstream.requests.map(({ method, path }) => `${method} ${path.split("/").at(-1)}`);
}

function expectNothingKept(target: UploadTarget): void {
  expect([target.blobs.size, target.open.size]).toEqual([0, 0]);
}

test("a blob goes in two requests, with its length and the query of its place", async () => {
  const target = takeUploads(upstream, name);
  const source = sourceOf(content);
  expect(await push(source)).toEqual({ kind: "pushed", sentBytes: content.length });
  expect(target.blobs.get(digest)?.equals(content)).toBeTrue();
  expect(asked()).toEqual(["POST ", "PUT 1"]);
  const put = upstream.requests[1];
  expect(put?.headers.get("content-length")).toBe(String(content.length));
  expect(put?.headers.has("transfer-encoding")).toBeFalse();
  expect(put?.target).toEndWith(`?_state=a%2Fb0&digest=${encodeURIComponent(digest)}`);
  expect([source.opens, source.told()]).toEqual([[0], content.length]);
});

test.each([
  ["no bytes", Buffer.alloc(0)],
  ["one byte", Buffer.from("x")],
])("a blob of %s", async (_, bytes) => {
  const target = takeUploads(upstream, name);
  const source = sourceOf(content, {
    digest: digestOf(bytes),
    sizeBytes: bytes.length,
    nth: () => streamOf(bytes, 0, bytes.length),
  });
  expect(await push(source)).toEqual({ kind: "pushed", sentBytes: bytes.length });
  expect(target.blobs.get(digestOf(bytes))?.equals(bytes)).toBeTrue();
  expect(upstream.requests.at(-1)?.headers.get("content-length")).toBe(String(bytes.length));
});

const other = [repository("other/one"), repository("other/two")];

interface MountCase {
  readonly replies: readonly ScriptedReply[];
  readonly asked: readonly string[];
  readonly kind: PushedBlob["kind"];
}
const mounted: ScriptedReply = { status: 201 };
const taken: ScriptedReply = {};

test.each<[string, MountCase]>([
  ["mounts", { replies: [mounted], asked: ["POST "], kind: "mounted" }],
  ["mounts the second", { replies: [taken, mounted], asked: ["POST ", "DELETE 1", "POST "], kind: "mounted" }],
  ["mounts none", { replies: [taken, taken], asked: ["POST ", "DELETE 1", "POST ", "PUT 2"], kind: "pushed" }],
  [
    "does not know the one and may not the other",
    { replies: [{ status: 404 }, { status: 403 }], asked: ["POST ", "POST ", "POST ", "PUT 1"], kind: "pushed" },
  ],
])("a registry that %s", async (_, expected) => {
  const replies = [...expected.replies];
  const instead: UploadTargetOptions["instead"] = ({ method }) => {
    const reply = method === "POST" ? replies.shift() : undefined;
    return reply === taken ? undefined : reply;
  };
  takeUploads(upstream, name, { instead });
  expect((await push(sourceOf(content, { mountFrom: other }))).kind).toBe(expected.kind);
  expect(asked()).toEqual(expected.asked);
  const query = new URL(upstream.requests[0]?.target ?? "", upstream.url).searchParams;
  expect(Object.fromEntries(query)).toEqual({ mount: digest, from: "other/one" });
});

const cuts = [0, 1, 2, 70_000, 6 * MiB].flatMap((atBytes) => [
  { atBytes, by: "fin" } as const,
  { atBytes, by: "rst" } as const,
]);

test.each(cuts)("a connection that is cut by $by after $atBytes bytes is gone on from where it broke", async (cut) => {
  const target = takeUploads(upstream, name);
  upstream.take("PUT", [{ kind: "cut", ...cut }]);
  const source = sourceOf(content);
  const pushed = await push(source);
  expect(pushed.kind).toBe("pushed");
  expect(target.blobs.get(digest)?.equals(content)).toBeTrue();
  const isSure = cut.atBytes > 1;
  expect(asked()).toEqual(
    isSure
      ? ["POST ", "PUT 1", "GET 1", "PATCH 1", "PUT 1"]
      : ["POST ", "PUT 1", "GET 1", "DELETE 1", ...(cut.atBytes === 1 ? ["GET 1", "DELETE 1"] : []), "POST ", "PUT 2"],
  );
  if (isSure) expect(upstream.requests[3]?.headers.get("content-range")).toBe(`${cut.atBytes}-${content.length - 1}`);
  expect([source.told(), source.opens[1] ?? 0]).toEqual([content.length, cut.atBytes > 4 * MiB ? 4 * MiB : 0]);
  expect(target.open.size).toBe(0);
});

test("it goes on as often as it gets further, whatever breaks", async () => {
  const target = takeUploads(upstream, name);
  upstream.take("PUT", [{ kind: "cut", atBytes: MiB, by: "rst" }]);
  upstream.take(
    "PATCH",
    Array.from({ length: 7 }, () => ({ kind: "cut", atBytes: MiB, by: "rst" }) as const),
  );
  expect((await push(sourceOf(content))).kind).toBe("pushed");
  expect(target.blobs.get(digest)?.equals(content)).toBeTrue();
  expect(upstream.requests.filter(({ method }) => method === "PATCH").length).toBe(8);
});

test("it ends when it gets no further, and cancels what it began", async () => {
  const target = takeUploads(upstream, name);
  upstream.take(
    "PUT",
    Array.from({ length: 20 }, () => ({ kind: "cut", atBytes: 0, by: "rst" }) as const),
  );
  expect(await push(sourceOf(content))).toMatchObject({ kind: "unavailable", reason: "unreachable" });
  expect(upstream.requests.filter(({ method }) => method === "POST").length).toBe(3);
  expectNothingKept(target);
});

test.each<[string, UploadTargetOptions, Intake]>([
  ["says nothing of what it has", { range: () => undefined }, { kind: "cut", atBytes: 5 * MiB, by: "rst" }],
  ["says that it has more than there is", { range: () => "0-99999999" }, { kind: "cut", atBytes: 5 * MiB, by: "rst" }],
  [
    "does not know the session any more",
    { instead: ({ method, path }) => (method === "GET" && path.endsWith("1") ? { status: 404 } : undefined) },
    { kind: "cut", atBytes: 5 * MiB, by: "rst" },
  ],
  [
    "has no status",
    { instead: ({ method }) => (method === "GET" ? { status: 405 } : undefined) },
    { kind: "cut", atBytes: 5 * MiB, by: "rst" },
  ],
  [
    "takes no PATCH",
    { instead: ({ method }) => (method === "PATCH" ? { status: 400 } : undefined) },
    { kind: "cut", atBytes: 5 * MiB, by: "rst" },
  ],
  [
    "does not know the session when the blob comes",
    { instead: ({ method, path }) => (method === "PUT" && path.endsWith("1") ? { status: 404 } : undefined) },
    { kind: "answer", atBytes: 0 },
  ],
])("a registry that %s is begun with anew", async (_, options, intake) => {
  const target = takeUploads(upstream, name, options);
  upstream.take("PUT", [intake]);
  const source = sourceOf(content);
  expect((await push(source)).kind).toBe("pushed");
  expect(target.blobs.get(digest)?.equals(content)).toBeTrue();
  expect([asked().at(-1), source.told()]).toEqual(["PUT 2", content.length]);
});

test("a completed upload whose answer was lost is not sent again", async () => {
  const target = takeUploads(upstream, name);
  let lost = 0;
  takeUploads(upstream, name, {
    instead: ({ method, bytes }) => {
      if (method !== "PUT" || bytes.length < content.length) return undefined;
      lost += 1;
      upstream.on("GET", "/v2/kube/pause/blobs/uploads/1", { status: 404 });
      upstream.on("HEAD", `/v2/kube/pause/blobs/${digest}`, { body: content });
      return { cut: { at: "head", by: "fin" } };
    },
  });
  expect((await push(sourceOf(content))).kind).toBe("pushed");
  expect([lost, target.blobs.size, asked()]).toEqual([1, 0, ["POST ", "PUT 1", "GET 1", `HEAD ${digest}`]]);
});

const altered = Buffer.from(content);
altered[8 * MiB] = (altered[8 * MiB] ?? 0) ^ 1;

test.each<[string, Uint8Array, number | undefined]>([
  ["one other byte", altered, content.length],
  ["another last byte", Buffer.concat([content.subarray(0, -1), Buffer.from([1])]), content.length],
  ["a byte less", content.subarray(0, -1), undefined],
  ["another size", content, content.length + 1],
])("a source with %s completes nothing", async (_, bytes, sizeBytes) => {
  const target = takeUploads(upstream, name);
  const answer = await push(sourceOf(content, { nth: (startByte) => streamOf(bytes, startByte, sizeBytes) }));
  expect(answer).toMatchObject({ kind: "unavailable", reason: "wrong-bytes" });
  expect(answer.kind === "unavailable" ? answer.message : "").toContain(digest);
  expectNothingKept(target);
});

test("what a source sends beyond the blob is left", async () => {
  const target = takeUploads(upstream, name);
  const more = Buffer.concat([content, Buffer.from("x")]);
  expect((await push(sourceOf(content, { nth: () => streamOf(more, 0, undefined) }))).kind).toBe("pushed");
  expect(target.blobs.get(digest)?.equals(content)).toBeTrue();
});

test("no bytes that should have another digest ask the registry for nothing", async () => {
  expect(await push(sourceOf(content, { sizeBytes: 0 }))).toMatchObject({ reason: "wrong-bytes" });
  expect(upstream.requests).toEqual([]);
});

const gone = unavailable("denied", "the source says no", { status: 403 });

test.each<[string, Answer<BlobStream>]>([
  ["absent", { kind: "absent" }],
  ["unavailable", gone],
])("a source that is %s is answered as it is, at once and in the middle", async (_, answer) => {
  for (const nth of [1, 2]) {
    const target = takeUploads(upstream, name);
    const cut = streamOf(content.subarray(0, 5 * MiB), 0, content.length);
    const source = sourceOf(content, { nth: (_start, at) => (at < nth ? cut : answer) });
    expect(await push(source)).toEqual(answer as PushedBlob);
    expect(source.opens.length).toBe(nth);
    expectNothingKept(target);
  }
});

test("a source that breaks is opened again where it broke, and one that sends from before is cut to it", async () => {
  const target = takeUploads(upstream, name);
  const source = sourceOf(content, {
    nth: (startByte, nth) => {
      if (nth === 1) return streamOf(content.subarray(0, 3 * MiB), 0, content.length);
      if (nth === 2) return streamOf(content.subarray(0, 5 * MiB), 0, content.length);
      return streamOf(content, startByte, content.length);
    },
  });
  expect(await push(source)).toEqual({ kind: "pushed", sentBytes: content.length });
  expect([source.opens, asked()]).toEqual([
    [0, 3 * MiB, 5 * MiB],
    ["POST ", "PUT 1"],
  ]);
  expect(target.blobs.get(digest)?.equals(content)).toBeTrue();
});

test("a source that breaks again and again at the same byte ends the push", async () => {
  const target = takeUploads(upstream, name);
  const source = sourceOf(content, {
    nth: (startByte) => streamOf(content.subarray(0, MiB), startByte, content.length),
  });
  expect(await push(source)).toMatchObject({ reason: "failed" });
  expect(source.opens).toEqual([0, MiB, MiB, MiB]);
  expectNothingKept(target);
});

test("the caller's end is the push's, and the upload is cancelled", async () => {
  const target = takeUploads(upstream, name);
  upstream.take("PUT", [{ kind: "stall", atBytes: 1000 }]);
  const client = clientOf(upstream.url);
  const caller = new AbortController();
  const pushed = client.registry.pushBlob(name, sourceOf(content).blob, { signal: caller.signal, timeoutMs: 5000 });
  while (upstream.count("PUT", "/v2/kube/pause/blobs/uploads/1") === 0)
    await new Promise((resolve) => setImmediate(resolve));
  caller.abort();
  expect(await pushed).toMatchObject({ reason: "cancelled" });
  expect([target.open.size, client.clock.pending()]).toEqual([0, 0]);
});
