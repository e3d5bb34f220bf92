import { afterEach, expect, test } from "bun:test";
import type { CallLimits, UnavailableReason } from "./remote.ts";
import { bytesOf, sourceOf, type TestSource } from "./testing/blob-to-push.ts";
import { clientOf, type TestClient } from "./testing/client.ts";
import { digestOf, repository } from "./testing/content.ts";
import { createLatch, type ScriptedReply } from "./testing/scripted-reply.ts";
import { type ScriptedUpstream, startScriptedUpstream } from "./testing/scripted-upstream.ts";
import { issueTokens } from "./testing/token-issuer.ts";
import { takeUploads, type UploadTargetOptions } from "./testing/upload-target.ts";
import type { PushedBlob } from "./writable.ts";

const started: ScriptedUpstream[] = [];
afterEach(() => {
  for (const upstream of started.splice(0)) upstream.stop();
});
function start(): ScriptedUpstream {
  const upstream = startScriptedUpstream();
  started.push(upstream);
  return upstream;
}

const name = repository("kube/pause");
const uploads = "/v2/kube/pause/blobs/uploads/";
const MiB = 1024 * 1024;
const content = bytesOf(3 * MiB);
const digest = digestOf(content);

function push(client: TestClient, source: TestSource = sourceOf(content)): Promise<PushedBlob> {
  return client.registry.pushBlob(name, source.blob, client.limits);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

test("a registry that takes nothing more for a minute is asked what it has", async () => {
  const upstream = start();
  const target = takeUploads(upstream, name);
  upstream.take("PUT", [{ kind: "stall", atBytes: 1000 }]);
  const client = clientOf(upstream.url);
  const source = sourceOf(bytesOf(32 * MiB));
  const pushed = client.registry.pushBlob(name, source.blob, { ...client.limits, timeoutMs: 3_600_000 });
  await until(() => upstream.count("PUT", `${uploads}1`) === 1);
  client.clock.advance(59_999);
  await new Promise((resolve) => setImmediate(resolve));
  expect(upstream.count("GET", `${uploads}1`)).toBe(0);
  await until(() => {
    client.clock.advance(100);
    return upstream.count("GET", `${uploads}1`) === 1;
  });
  expect((await pushed).kind).toBe("pushed");
  expect([target.blobs.size, client.clock.pending()]).toEqual([1, 0]);
});

test("the time in which the source has nothing to give is not the registry's", async () => {
  const upstream = start();
  takeUploads(upstream, name);
  const client = clientOf(upstream.url);
  const latch = createLatch();
  const source = sourceOf(content);
  let isOpening = false;
  const open = async (startByte: number) => {
    isOpening = true;
    await latch.opened;
    return await source.blob.open(startByte);
  };
  const pushed = client.registry.pushBlob(name, { ...source.blob, open }, client.limits);
  await until(() => isOpening && upstream.count("POST", uploads) === 1 && client.clock.pending() === 0);
  client.clock.advance(3_600_000);
  latch.open();
  expect((await pushed).kind).toBe("pushed");
  expect(upstream.count("PUT", `${uploads}1`)).toBe(1);
});

test("a registry that has it all and does not answer is asked after the call's time", async () => {
  const upstream = start();
  const latch = createLatch();
  takeUploads(upstream, name, {
    instead: ({ method }) => (method === "PUT" ? { hold: { at: "head", until: latch.opened } } : undefined),
  });
  upstream.on("HEAD", `/v2/kube/pause/blobs/${digest}`, { body: content });
  const client = clientOf(upstream.url);
  const pushed = push(client);
  await until(() => upstream.count("PUT", `${uploads}1`) === 1);
  upstream.on("GET", `${uploads}1`, { status: 404 });
  client.clock.advance(5000);
  expect(await pushed).toEqual({ kind: "pushed", sentBytes: content.length });
});

const refusals: readonly [string, ScriptedReply, UnavailableReason, object][] = [
  [
    "a repository that has to be made first",
    { status: 404, body: errorOf("NAME_UNKNOWN", "no such repository") },
    "failed",
    { status: 404, code: "NAME_UNKNOWN" },
  ],
  [
    "a quota",
    { status: 403, body: errorOf("DENIED", "quota\u001b[2J of 1 GiB\nis spent") },
    "denied",
    { status: 403, code: "DENIED" },
  ],
  ["401", { status: 401 }, "denied", { status: 401 }],
  ["a page of a proxy", { status: 400, body: "<html>" }, "failed", { status: 400 }],
  [
    "a full disk",
    { status: 500, body: errorOf("UNKNOWN", "unknown error", "no space left") },
    "failed",
    { status: 500, code: "UNKNOWN" },
  ],
  ["201 where nothing was mounted", { status: 201 }, "failed", { status: 201 }],
  ["no place", { status: 202 }, "refused", {}],
  ["a redirect that changes the method", { status: 302, headers: { Location: "/x" } }, "refused", { status: 302 }],
];

function errorOf(code: string, message: string, detail?: string): string {
  return JSON.stringify({ errors: [{ code, message, detail }, { code: "OTHER" }] });
}

test.each(refusals)("an upload that is refused with %s", async (_, reply, reason, facts) => {
  const upstream = start();
  upstream.on("POST", uploads, reply);
  const answer = await push(clientOf(upstream.url));
  expect(answer).toMatchObject({ kind: "unavailable", reason, ...facts });
  if (answer.kind !== "unavailable") return;
  expect(answer.message).toStartWith("push of the blob registry.test/kube/pause@sha256:");
  expect(answer.message).not.toMatch(/[\p{C}]/u);
  if (answer.code !== undefined) expect(answer.message).toContain(`(${answer.code}: `);
});

test("what is refused at its end says why, and is cancelled", async () => {
  const upstream = start();
  const target = takeUploads(upstream, name, {
    instead: ({ method }) =>
      method === "PUT" ? { status: 400, body: errorOf("DIGEST_INVALID", "not it") } : undefined,
  });
  expect(await push(clientOf(upstream.url))).toMatchObject({ reason: "failed", status: 400, code: "DIGEST_INVALID" });
  expect([target.open.size, upstream.count("PUT", `${uploads}1`)]).toEqual([0, 1]);
});

interface PartsCase {
  readonly sizeMiB: number;
  readonly limitMiB: number;
  readonly minimum?: string;
  readonly partsMiB: readonly number[];
}

test.each<[string, PartsCase]>([
  ["two parts", { sizeMiB: 3, limitMiB: 2, partsMiB: [1, 1, 1] }],
  ["parts of another size", { sizeMiB: 6, limitMiB: 5, partsMiB: [4, 2] }],
  ["parts as large as it wants them", { sizeMiB: 6, limitMiB: 5, minimum: String(3 * MiB), partsMiB: [4, 2] }],
  [
    "none, when it wants them larger than it takes them",
    { sizeMiB: 6, limitMiB: 2, minimum: String(3 * MiB), partsMiB: [] },
  ],
])("a registry that takes no such large body gets it in %s", async (_, { sizeMiB, limitMiB, minimum, partsMiB }) => {
  const upstream = start();
  const bytes = bytesOf(sizeMiB * MiB);
  const options: UploadTargetOptions = {
    ...(minimum === undefined ? {} : { headers: { "OCI-Chunk-Min-Length": minimum } }),
    instead: ({ headers }) => (Number(headers.get("content-length")) > limitMiB * MiB ? { status: 413 } : undefined),
  };
  const target = takeUploads(upstream, name, options);
  const tooLarge = { kind: "answer", atBytes: 0 } as const;
  upstream.take("PUT", [tooLarge]);
  if (partsMiB.length === 0) upstream.take("PATCH", [tooLarge]);
  const answer = await push(clientOf(upstream.url), sourceOf(bytes));
  const sent = upstream.requests.filter(({ method }) => method === "PATCH").map(({ bytes }) => bytes.length / MiB);
  if (partsMiB.length === 0) {
    expect(answer).toMatchObject({ reason: "failed", status: 413 });
    expect(target.open.size).toBe(0);
    return;
  }
  expect([sent, target.blobs.get(digestOf(bytes))?.equals(bytes)]).toEqual([[...partsMiB], true]);
});

test.each<[string, (authority: string) => UploadTargetOptions["location"]]>([
  ["absolute", (authority) => (place) => `http://${authority}${place}`],
  ["relative to its path", () => (place) => place.split("/").at(-1) ?? ""],
  ["without a scheme", (authority) => (place) => `//${authority}${place}`],
])("a place that is %s is gone to", async (_, location) => {
  const upstream = start();
  const target = takeUploads(upstream, name, { location: location(upstream.authority) ?? ((place) => place) });
  expect((await push(clientOf(upstream.url))).kind).toBe("pushed");
  expect(target.blobs.size).toBe(1);
});

test.each<[string, (stranger: ScriptedUpstream) => string]>([
  ["another host", (stranger) => `${stranger.url}/x`],
  ["a public host", () => "https://public.test/x"],
  ["a metadata service", () => "http://169.254.169.254/latest"],
  ["a user before a host", (stranger) => `http://127.0.0.1@${stranger.authority}/x`],
  ["another scheme", () => "file:///etc/passwd"],
  ["nothing", () => "http://"],
])("a place at %s gets no byte and no credential", async (_, locationOf) => {
  const [upstream, stranger] = [start(), start()];
  takeUploads(upstream, name, { location: () => locationOf(stranger) });
  const client = clientOf(upstream.url, { credential: { kind: "basic", username: "canary", password: "canary" } });
  const source = sourceOf(content);
  expect(await push(client, source)).toMatchObject({ kind: "unavailable", reason: "refused" });
  expect([stranger.requests.length, source.told()]).toEqual([0, 0]);
});

test("a place at a host of redirectHosts gets the bytes and no credential", async () => {
  const [upstream, store] = [start(), start()];
  const issuer = issueTokens(upstream, `${upstream.url}/token`);
  upstream.on("POST", uploads, issuer.protect({ status: 202, headers: { Location: `${store.url}/bucket?sig=1` } }));
  store.on("PUT", "/bucket", { status: 201 });
  const client = clientOf(upstream.url, {
    credential: { kind: "basic", username: "canary", password: "canary" },
    upstream: { redirectHosts: [store.authority] },
  });
  expect((await push(client)).kind).toBe("pushed");
  expect(store.requests[0]?.bytes.equals(content)).toBeTrue();
  expect(store.requests[0]?.headers.has("authorization")).toBeFalse();
  expect(store.requests[0]?.target).toBe(`/bucket?sig=1&digest=${encodeURIComponent(digest)}`);
});

test("tokens are asked for the scopes of each request, and one that runs out under a blob is renewed", async () => {
  const upstream = start();
  const issuer = issueTokens(upstream, `${upstream.url}/token`);
  let puts = 0;
  const target = takeUploads(upstream, name, {
    instead: ({ method, headers }) => {
      if (method === "PUT") puts += 1;
      const isGood = headers.has("authorization") && !(method === "PUT" && puts === 1);
      return isGood ? undefined : { status: 401, headers: { "WWW-Authenticate": issuer.challenge } };
    },
  });
  upstream.take("PUT", [{ kind: "answer", atBytes: 0 }]);
  const client = clientOf(upstream.url);
  expect((await push(client, sourceOf(content, { mountFrom: [repository("other")] }))).kind).toBe("pushed");
  expect(target.blobs.get(digest)?.equals(content)).toBeTrue();
  const scopes = upstream.requests
    .filter(({ path }) => path === "/token")
    .map(({ target }) => new URL(target, upstream.url).searchParams.getAll("scope"));
  const scope = ["repository:kube/pause:pull,push", "repository:other:pull"];
  expect(scopes).toEqual([scope, scope]);
});

test("a patient push waits out what the registry asks for, before it and in its middle", async () => {
  const upstream = start();
  const target = takeUploads(upstream, name, {
    instead: ({ method }) => {
      if (upstream.requests.filter((request) => request.method === method).length > 1) return undefined;
      if (method === "POST") return { status: 429, headers: { "Retry-After": "30" } };
      return method === "PUT" ? { status: 429, headers: { "Retry-After": "45" } } : undefined;
    },
  });
  const { registry, clock, limits } = clientOf(upstream.url);
  const pushed = registry.pushBlob(name, sourceOf(content).blob, { ...limits, patienceMs: 60_000 });
  for (const pauseMs of [30_000, 45_000]) {
    await clock.untilDueIn(pauseMs);
    clock.advance(pauseMs);
  }
  expect((await pushed).kind).toBe("pushed");
  expect([target.blobs.size, upstream.requests.map(({ method }) => method)]).toEqual([
    1,
    ["POST", "POST", "PUT", "GET", "DELETE", "POST", "PUT"],
  ]);
});

test.each<[string, ScriptedReply]>([
  ["fails", { status: 503 }],
  ["closes the connection", { cut: { at: "head", by: "rst" } }],
])("a registry that %s for a while when an upload is begun is asked again", async (_, reply) => {
  const upstream = start();
  let posts = 0;
  const target = takeUploads(upstream, name, {
    instead: ({ method }) => (method === "POST" && ++posts <= 6 ? reply : undefined),
  });
  const client = clientOf(upstream.url);
  const pushed = await client.registry.pushBlob(name, sourceOf(content).blob, patient(client));
  expect([pushed.kind, target.blobs.size, posts]).toEqual(["pushed", 1, 7]);
});

test("an upload of which a registry says nothing but that it fails is begun anew", async () => {
  const upstream = start();
  const target = takeUploads(upstream, name, {
    instead: ({ method, path }) => (method === "GET" && path.endsWith("1") ? { status: 500 } : undefined),
  });
  upstream.take("PUT", [{ kind: "cut", atBytes: MiB, by: "rst" }]);
  const client = clientOf(upstream.url);
  const pushed = await client.registry.pushBlob(name, sourceOf(content).blob, patient(client));
  expect([pushed.kind, target.blobs.get(digest)?.equals(content)]).toEqual(["pushed", true]);
  expect(upstream.count("PUT", `${uploads}2`)).toBe(1);
});

test("a registry that has failed for a minute is not waited for, and what it did is said", async () => {
  const upstream = start();
  upstream.on("POST", uploads, { status: 503 });
  const client = clientOf(upstream.url);
  const early = await push(client);
  expect(early).toMatchObject({ reason: "failed", status: 503 });
  client.clock.advance(60_000);
  expect(await push(client)).toMatchObject({ reason: "failed", status: 503 });
  const late = await client.registry.pushBlob(name, sourceOf(content).blob, patient(client));
  expect(late).toMatchObject({ kind: "unavailable", reason: "breaker-open" });
  expect(late).toMatchObject({ message: expect.stringContaining("answered 503; it is not asked for") });
});

/** Limits of somebody who waits, for whom the time of a wait passes at once. */
function patient({ limits, clock }: TestClient): CallLimits {
  return { ...limits, patienceMs: 60_000, onWait: (waitMs) => setImmediate(() => clock.advance(waitMs)) };
}
