import { afterEach, beforeEach, expect, test } from "bun:test";
import type { BlobStream } from "./remote.ts";
import { bytesOf } from "./testing/blob-to-push.ts";
import { clientOf, type TestClient } from "./testing/client.ts";
import { blobReplies, digestOf, repository } from "./testing/content.ts";
import type { RecordedRequest } from "./testing/http-wire.ts";
import { createLatch, type Intake, type ScriptedReply } from "./testing/scripted-reply.ts";
import { type ScriptedUpstream, startScriptedUpstream } from "./testing/scripted-upstream.ts";
import { takeUploads, type UploadTarget, type UploadTargetOptions } from "./testing/upload-target.ts";
import type { PushedBlob } from "./writable.ts";

const name = repository("kube/pause");
const MiB = 1024 * 1024;
const content = bytesOf(9 * MiB);
const digest = digestOf(content);
const blobPath = `/v2/${name}/blobs/${digest}`;
const whole = blobReplies(content);
const pushed: PushedBlob = { kind: "pushed", sentBytes: content.length };

let from: ScriptedUpstream;
let to: ScriptedUpstream;
beforeEach(() => {
  [from, to] = [startScriptedUpstream(), startScriptedUpstream()];
  from.on("GET", blobPath, whole);
});
afterEach(() => {
  from.stop();
  to.stop();
});

interface Copying {
  readonly answer: Promise<PushedBlob>;
  /** How often the source's own body was taken. */
  readonly natives: () => number;
  readonly told: () => number;
  readonly source: TestClient;
  readonly target: TestClient;
}

/** Copies the blob from one registry to the other, whose clocks stand still. */
function copy(source: TestClient = clientOf(from.url), target: TestClient = clientOf(to.url)): Copying {
  let natives = 0;
  let told = 0;
  const watched = ({ takeNative, ...stream }: BlobStream): BlobStream => ({
    ...stream,
    takeNative: () => {
      const native = takeNative?.();
      if (native !== undefined) natives += 1;
      return native;
    },
  });
  const answer = target.registry.pushBlob(
    name,
    {
      digest,
      sizeBytes: content.length,
      mountFrom: [],
      open: async (startByte) => {
        const range = { startByte, endByte: undefined };
        const opened = await source.registry.getBlob(name, digest, range, source.limits);
        return opened.kind === "found" ? { ...opened, ...watched(opened) } : opened;
      },
      onSent: (sizeBytes) => (told += sizeBytes),
    },
    target.limits,
  );
  return { answer, natives: () => natives, told: () => told, source, target };
}

function askedOf({ requests }: ScriptedUpstream): readonly string[] {
  return requests.map(({ method, path }) => `${method} ${path.split("/").at(-1)}`);
}

function expectAllThere({ blobs, open }: UploadTarget, copying: Copying): void {
  expect(blobs.get(digest)?.equals(content)).toBeTrue();
  expect([open.size, copying.told()]).toEqual([0, content.length]);
  expect([copying.source.clock.pending(), copying.target.clock.pending()]).toEqual([0, 0]);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

test("the source's own body is the request's, with its length", async () => {
  const target = takeUploads(to, name);
  const copying = copy();
  expect(await copying.answer).toEqual(pushed);
  expectAllThere(target, copying);
  expect([copying.natives(), askedOf(from), askedOf(to)]).toEqual([1, [`GET ${digest}`], ["POST ", "PUT 1"]]);
  const headers = to.requests[1]?.headers;
  expect([headers?.get("content-length"), headers?.has("transfer-encoding")]).toEqual([String(content.length), false]);
});

test("each gives its place back, and the connection to the source is used again", async () => {
  takeUploads(to, name);
  const budget = { requests: undefined, perMs: 1000, concurrent: 1 };
  const source = clientOf(from.url, { upstream: { budget } });
  const target = clientOf(to.url, { upstream: { budget } });
  for (let i = 0; i < 3; i++) expect(await copy(source, target).answer).toEqual(pushed);
  expect(from.connections()).toBe(1);
});

test.each<[string, ScriptedReply]>([
  ["does not say its length", { body: content, length: "chunked" }],
  ["ends by closing", { body: content, length: "close" }],
])("a source that %s is read here", async (_, reply) => {
  from.on("GET", blobPath, reply);
  const target = takeUploads(to, name);
  const copying = copy();
  expect(await copying.answer).toEqual(pushed);
  expectAllThere(target, copying);
  expect([copying.natives(), askedOf(from).length]).toEqual([0, 1]);
});

const altered = Buffer.from(content);
altered[8 * MiB] = (altered[8 * MiB] ?? 0) ^ 1;

test.each<[string, ScriptedReply, string, number]>([
  ["has other bytes", { body: altered }, "wrong-bytes", 1],
  ["has a byte less", { body: content.subarray(1) }, "wrong-bytes", 0],
  ["has a byte more", { body: Buffer.concat([content, Buffer.from("x")]) }, "wrong-bytes", 0],
  ["sends it in an encoding", { body: content, headers: { "Content-Encoding": "gzip" } }, "refused", 0],
  ["leads where it may not", { status: 307, headers: { Location: "http://10.0.0.1/x" } }, "refused", 0],
  ["may not be read", { status: 403 }, "denied", 0],
])("a source that %s is told of, and nothing of it stays", async (_, reply, reason, natives) => {
  from.on("GET", blobPath, reply);
  const target = takeUploads(to, name);
  const copying = copy();
  expect(await copying.answer).toMatchObject({ kind: "unavailable", reason });
  expect([target.blobs.size, target.open.size, copying.natives()]).toEqual([0, 0, natives]);
  expect([copying.source.clock.pending(), copying.target.clock.pending()]).toEqual([0, 0]);
});

test("a source that does not have it is absent, and no body is begun for it", async () => {
  from.on("GET", blobPath, { status: 404 });
  takeUploads(to, name);
  expect(await copy().answer).toEqual({ kind: "absent" });
  expect(askedOf(to)).toEqual(["POST ", "DELETE 1"]);
});

test.each<[string, ScriptedReply, ScriptedReply]>([
  ["that says its length", { status: 403 }, {}],
  ["that does not", { status: 403 }, { body: content, length: "chunked" }],
  ["of what needs a repository first", { status: 404, body: `{"errors":[{"code":"NAME_UNKNOWN"}]}` }, {}],
])("a source %s is let go where no upload is begun", async (_, refusal, reply) => {
  from.on("GET", blobPath, { body: content, ...reply });
  to.on("POST", `/v2/${name}/blobs/uploads/`, refusal);
  const budget = { requests: undefined, perMs: 1000, concurrent: 1 };
  const source = clientOf(from.url, { upstream: { budget } });
  const copying = copy(source);
  expect(await copying.answer).toMatchObject({ kind: "unavailable", status: refusal.status });
  expect([source.clock.pending(), copying.told()]).toEqual([0, 0]);
  expect((await source.registry.headBlob(name, digest, source.limits)).kind).toBe("found");
});

test.each([0, 1, 70_000, 6 * MiB].flatMap((at) => [{ at, by: "fin" } as const, { at, by: "rst" } as const]))(
  "a source that is cut by $by after $at bytes is read here from then on",
  async (cut) => {
    from.on("GET", blobPath, (request, nth) => (nth === 1 ? { body: content, cut } : whole(request)));
    const target = takeUploads(to, name);
    const copying = copy();
    expect((await copying.answer).kind).toBe("pushed");
    expectAllThere(target, copying);
    expect(askedOf(from).length).toBe(2);
  },
);

test("six sources that break at once do not close the way to the target", async () => {
  from.on("GET", blobPath, (request, nth) =>
    nth <= 6 ? { body: content, cut: { at: 70_000, by: "rst" } } : whole(request),
  );
  takeUploads(to, name);
  const [source, target] = [clientOf(from.url), clientOf(to.url)];
  const copies = Array.from({ length: 6 }, () => copy(source, target).answer);
  expect((await Promise.all(copies)).map(({ kind }) => kind)).toEqual(copies.map(() => "pushed"));
});

test.each<[string, Intake]>(
  [70_000, 6 * MiB].flatMap((atBytes) =>
    (["fin", "rst"] as const).map((by) => [`${by} after ${atBytes} bytes`, { kind: "cut", atBytes, by }] as const),
  ),
)("a target that is cut by %s is gone on with from there", async (_, intake) => {
  const target = takeUploads(to, name);
  to.take("PUT", [intake]);
  const copying = copy();
  expect((await copying.answer).kind).toBe("pushed");
  expectAllThere(target, copying);
  expect(askedOf(to)).toEqual(["POST ", "PUT 1", "GET 1", "PATCH 1", "PUT 1"]);
});

const first = (reply: ScriptedReply): UploadTargetOptions => {
  let isFirst = true;
  return {
    instead: ({ method }: RecordedRequest) => {
      if (method !== "PUT" || !isFirst) return undefined;
      isFirst = false;
      return reply;
    },
  };
};
const other = digestOf("x");

test.each<[string, ScriptedReply]>([
  ["400", { status: 400, body: `{"errors":[{"code":"DIGEST_INVALID"}]}` }],
  ["408", { status: 408 }],
  ["416", { status: 416 }],
  ["500", { status: 500 }],
  ["501", { status: 501 }],
  ["200, which does not say that it was looked at", { status: 200 }],
  ["202, as if there were more", { status: 202 }],
  ["204", { status: 204 }],
  ["201 for something else", { status: 201, headers: { "Docker-Content-Digest": other } }],
  ["307", { status: 307, headers: { Location: `/v2/${name}/blobs/uploads/1?_state=a%2Fb0&digest=${digest}` } }],
])("a target that answers %s is sent what was read here", async (_, reply) => {
  const target = takeUploads(to, name, first(reply));
  const copying = copy();
  expect((await copying.answer).kind).toBe("pushed");
  expectAllThere(target, copying);
  expect([copying.natives(), askedOf(from).length]).toEqual([1, 2]);
});

test("a body that is too large in one piece goes in parts", async () => {
  const target = takeUploads(to, name, first({ status: 413 }));
  const copying = copy();
  expect((await copying.answer).kind).toBe("pushed");
  expectAllThere(target, copying);
  expect(askedOf(to).filter((asked) => asked.startsWith("PATCH")).length).toBe(3);
});

test("a target that says the right digest has said enough", async () => {
  const target = takeUploads(to, name, { headers: { "Docker-Content-Digest": digest } });
  const copying = copy();
  expect(await copying.answer).toEqual(pushed);
  expectAllThere(target, copying);
  expect(askedOf(from).length).toBe(1);
});

test("what stands still is read here after 50 s, and so are the next ones", async () => {
  const target = takeUploads(to, name);
  to.take("PUT", [{ kind: "stall", atBytes: 1000 }]);
  const copying = copy();
  await until(() => to.count("PUT", `/v2/${name}/blobs/uploads/1`) === 1);
  copying.target.clock.advance(50_000);
  expect((await copying.answer).kind).toBe("pushed");
  expect(target.blobs.get(digest)?.equals(content)).toBeTrue();
  const next = copy(copying.source, copying.target);
  expect((await next.answer).kind).toBe("pushed");
  expect([copying.natives(), next.natives()]).toEqual([1, 0]);
});

test("a source that stands still is read here after 50 s", async () => {
  const latch = createLatch();
  from.on("GET", blobPath, (request, nth) =>
    nth === 1 ? { body: content, hold: { at: MiB, until: latch.opened } } : whole(request),
  );
  const target = takeUploads(to, name);
  const copying = copy();
  await until(() => askedOf(from).length === 1 && copying.natives() === 1 && copying.target.clock.pending() > 1);
  copying.target.clock.advance(50_000);
  expect((await copying.answer).kind).toBe("pushed");
  latch.open();
  expectAllThere(target, copying);
});

test.each(["source", "target"] as const)("the caller's end of the %s ends both", async (side) => {
  const target = takeUploads(to, name);
  to.take("PUT", [{ kind: "stall", atBytes: 1000 }]);
  const caller = new AbortController();
  const [source, sink] = [clientOf(from.url), clientOf(to.url)];
  const limits = { signal: caller.signal, timeoutMs: 5000 };
  const copying = copy(
    side === "source" ? { ...source, limits } : source,
    side === "target" ? { ...sink, limits } : sink,
  );
  await until(() => to.count("PUT", `/v2/${name}/blobs/uploads/1`) === 1);
  caller.abort();
  expect(await copying.answer).toMatchObject({ kind: "unavailable" });
  expect([target.blobs.size, target.open.size]).toEqual([0, 0]);
  expect([source.clock.pending(), sink.clock.pending()]).toEqual([0, 0]);
});
