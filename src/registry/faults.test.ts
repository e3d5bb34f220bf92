import { afterEach, expect, test } from "bun:test";
import { createRemoteRegistry } from "./client.ts";
import type { UnavailableReason } from "./remote.ts";
import { clientOf, type TestClient } from "./testing/client.ts";
import { blobReplies, digestOf, manifestReply, repository, tag } from "./testing/content.ts";
import { testEgress } from "./testing/egress.ts";
import { createManualClock } from "./testing/manual-clock.ts";
import { createLatch, hang, type Script, type ScriptedReply } from "./testing/scripted-reply.ts";
import { type ScriptedUpstream, startScriptedUpstream } from "./testing/scripted-upstream.ts";
import { upstreamAt } from "./testing/upstream.ts";

const started: ScriptedUpstream[] = [];
afterEach(() => {
  for (const upstream of started.splice(0)) upstream.stop();
});
function start(script?: Script): ScriptedUpstream {
  const upstream = startScriptedUpstream();
  started.push(upstream);
  if (script !== undefined) upstream.on("GET", path, script);
  return upstream;
}

const name = repository("kube/pause");
const path = "/v2/kube/pause/manifests/3.9";
const good = manifestReply("{}");

async function head({ registry, limits }: TestClient): Promise<string> {
  const answer = await registry.headManifest(name, tag("3.9"), limits);
  return answer.kind === "unavailable" ? answer.reason : answer.kind;
}

async function untilAsked(upstream: ScriptedUpstream, times: number): Promise<void> {
  while (upstream.requests.length < times) await new Promise((resolve) => setImmediate(resolve));
}

const drop: ScriptedReply = { cut: { at: "head", by: "rst" } };

test.each<[string, Script, string, number]>([
  ["one 500, then well", [{ status: 500 }, good], "found", 2],
  ["two kinds of trouble, then well", [{ status: 503 }, drop, good], "found", 3],
  ["408, then well", [{ status: 408 }, good], "found", 2],
  ["500 again and again", { status: 500 }, "failed", 3],
  ["nothing again and again", drop, "unreachable", 3],
  ["501", { status: 501 }, "found", 1],
  ["404", { status: 404 }, "absent", 1],
  ["403", { status: 403 }, "denied", 1],
  ["429", { status: 429 }, "rate-limited", 1],
  ["400", { status: 400 }, "failed", 1],
  ["503 with a time to wait", { status: 503, headers: { "Retry-After": "2" } }, "failed", 1],
])("an upstream that answers %s (F5, F6)", async (_, script, expected, asked) => {
  const upstream = start(script);
  expect(await head(clientOf(upstream.url))).toBe(expected);
  expect(upstream.requests.length).toBe(asked);
});

test("no retry begins that the time does not allow", async () => {
  const upstream = start({ status: 500 });
  const clock = createManualClock();
  const registry = createRemoteRegistry({
    upstream: upstreamAt(upstream.url),
    credentials: () => Promise.resolve(undefined),
    egress: testEgress(),
    clock,
    random: () => 0.9,
  });
  const limits = { signal: new AbortController().signal, timeoutMs: 400 };
  const answer = registry.headManifest(name, tag("3.9"), limits);
  await untilAsked(upstream, 1);
  while (clock.pending() < 2) await new Promise((resolve) => setImmediate(resolve));
  clock.advance(225);
  expect(await answer).toMatchObject({ reason: "failed", status: 500 });
  expect(upstream.requests.length).toBe(2);
});

test("an upstream that hangs is given up when the time is over (F2)", async () => {
  const upstream = start(hang);
  const client = clientOf(upstream.url);
  const answer = head(client);
  await untilAsked(upstream, 1);
  client.clock.advance(5000);
  expect(await answer).toBe("timeout");
  expect([upstream.requests.length, client.clock.pending()]).toEqual([1, 0]);
});

test("a manifest that stalls in its middle is given up when the time is over (F3)", async () => {
  const upstream = start({ ...good, body: "{     }", hold: { at: 2, until: createLatch().opened } });
  const client = clientOf(upstream.url);
  const answer = client.registry.getManifest(name, tag("3.9"), client.limits);
  await untilAsked(upstream, 1);
  await new Promise((resolve) => setImmediate(resolve));
  client.clock.advance(5000);
  expect(await answer).toMatchObject({ reason: "timeout" });
});

test("a blob that stalls in its middle breaks for its reader (F3)", async () => {
  const content = new Uint8Array(1000).fill(1);
  const blob = digestOf(content);
  const upstream = start();
  upstream.on("GET", `/v2/kube/pause/blobs/${blob}`, { body: content, hold: { at: 10, until: createLatch().opened } });
  const { registry, clock, limits } = clientOf(upstream.url);
  const answer = await registry.getBlob(name, blob, { startByte: 0, endByte: undefined }, limits);
  if (answer.kind !== "found") throw new Error("it should begin");
  const reader = answer.body.getReader();
  expect((await reader.read()).value?.byteLength).toBe(10);
  const waiting = reader.read().catch((error: unknown) => error);
  await new Promise((resolve) => setImmediate(resolve));
  clock.advance(15_000);
  expect(await waiting).toMatchObject({ code: "UPSTREAM_TIMEOUT" });
});

test.each<[string, ScriptedReply, UnavailableReason]>([
  ["refuses", drop, "unreachable"],
  ["fails", { status: 502 }, "failed"],
])("an upstream that %s is not asked again for a while, and then once (F1)", async (_, reply, reason) => {
  const upstream = start(reply);
  const client = clientOf(upstream.url);
  expect([await head(client), await head(client)]).toEqual([reason, reason]);
  expect(upstream.requests.length).toBe(5);
  const answer = await client.registry.headManifest(name, tag("3.9"), client.limits);
  expect(answer).toMatchObject({ reason: "breaker-open", retryAfterMs: 1000 });
  expect(upstream.requests.length).toBe(5);
  client.clock.advance(1000);
  upstream.on("GET", path, good);
  expect([await head(client), await head(client)]).toEqual(["found", "found"]);
});

test("while the one trial hangs, nobody waits behind it; given up, it lets the next one try", async () => {
  const upstream = start({ status: 500 });
  const client = clientOf(upstream.url, { upstream: { budget: { requests: undefined, perMs: 1, concurrent: 1 } } });
  await Promise.all([head(client), head(client)]);
  client.clock.advance(1000);
  upstream.on("GET", path, [hang, good]);
  const before = upstream.requests.length;
  const caller = new AbortController();
  const trial = client.registry.headManifest(name, tag("3.9"), { signal: caller.signal, timeoutMs: 5000 });
  await untilAsked(upstream, before + 1);
  expect(await head(client)).toBe("breaker-open");
  caller.abort();
  expect(await trial).toMatchObject({ reason: "cancelled" });
  upstream.on("GET", path, good);
  expect(await head(client)).toBe("found");
});

test("answers that are no failures never open the breaker", async () => {
  const upstream = start([{ status: 404 }, { status: 403 }, { status: 400 }, { status: 404 }]);
  const client = clientOf(upstream.url);
  for (let i = 0; i < 20; i++) expect(await head(client)).not.toBe("breaker-open");
});

test("callers who give up say nothing of the upstream", async () => {
  const upstream = start(hang);
  const client = clientOf(upstream.url);
  for (let i = 1; i <= 6; i++) {
    const caller = new AbortController();
    const answer = client.registry.headManifest(name, tag("3.9"), { signal: caller.signal, timeoutMs: 5000 });
    await untilAsked(upstream, i);
    caller.abort();
    expect(await answer).toMatchObject({ reason: "cancelled" });
  }
  upstream.on("GET", path, good);
  expect(await head(client)).toBe("found");
});

test("a dead blob host does not keep manifests away", async () => {
  const dead = start();
  dead.stop();
  const content = new Uint8Array(10);
  const blob = digestOf(content);
  const upstream = start(good);
  upstream.on("GET", `/v2/kube/pause/blobs/${blob}`, { status: 307, headers: { Location: `${dead.url}/x` } });
  const client = clientOf(upstream.url, { upstream: { redirectHosts: ["127.0.0.1"] } });
  const range = { startByte: 0, endByte: undefined };
  for (let i = 0; i < 2; i++) await client.registry.getBlob(name, blob, range, client.limits);
  expect(await client.registry.getBlob(name, blob, range, client.limits)).toMatchObject({ reason: "breaker-open" });
  expect(await head(client)).toBe("found");
});

test.each<[string, ScriptedReply, number]>([
  ["429 with seconds", { status: 429, headers: { "Retry-After": "30" } }, 30_000],
  ["429 without a time", { status: 429 }, 10_000],
  ["503 with seconds", { status: 503, headers: { "Retry-After": "30" } }, 30_000],
  [
    "a spent allowance",
    { ...good, headers: { ...good.headers, "RateLimit-Remaining": "0", "RateLimit-Reset": "30" } },
    30_000,
  ],
])("after %s it is left alone until then (F4)", async (_, reply, pauseMs) => {
  const upstream = start([reply, good]);
  const client = clientOf(upstream.url);
  await head(client);
  const answer = await client.registry.headManifest(name, tag("3.9"), client.limits);
  expect(answer).toMatchObject({ reason: "rate-limited", retryAfterMs: pauseMs });
  expect(upstream.requests.length).toBe(1);
  client.clock.advance(pauseMs);
  expect(await head(client)).toBe("found");
});

test("Docker Hub's allowance and its window are no reason to wait while something is left of it", async () => {
  const headers = { ...good.headers, "ratelimit-limit": "100;w=21600", "ratelimit-remaining": "76;w=21600" };
  const client = clientOf(start({ ...good, headers }).url);
  expect([await head(client), await head(client)]).toEqual(["found", "found"]);
});

test("our own budget answers at once what is over it, retries count", async () => {
  const upstream = start([{ status: 500 }, good]);
  const client = clientOf(upstream.url, { upstream: { budget: { requests: 3, perMs: 60_000, concurrent: 4 } } });
  expect([await head(client), await head(client), await head(client)]).toEqual(["found", "found", "rate-limited"]);
  expect(upstream.requests.length).toBe(3);
  client.clock.advance(60_000);
  expect(await head(client)).toBe("found");
});

test("a thousand hung requests to one upstream delay no other", async () => {
  const [stuck, well] = [start(hang), start(good)];
  const [one, other] = [clientOf(stuck.url), clientOf(well.url)];
  const caller = new AbortController();
  const hung = Array.from({ length: 1000 }, () =>
    one.registry.headManifest(name, tag("3.9"), { signal: caller.signal, timeoutMs: 5000 }),
  );
  await untilAsked(stuck, 64);
  expect(await head(other)).toBe("found");
  expect(stuck.requests.length).toBe(64);
  caller.abort();
  const reasons = new Set(
    (await Promise.all(hung)).map((answer) => (answer.kind === "unavailable" ? answer.reason : "")),
  );
  expect(reasons).toEqual(new Set(["cancelled"]));
  expect(one.clock.pending()).toBe(0);
});

test("many streams of one upstream leave room for its manifests", async () => {
  const content = new Uint8Array(1000).fill(1);
  const blob = digestOf(content);
  const upstream = start(good);
  upstream.on("GET", `/v2/kube/pause/blobs/${blob}`, { body: content, hold: { at: 10, until: createLatch().opened } });
  const client = clientOf(upstream.url, { upstream: { budget: { requests: undefined, perMs: 1, concurrent: 4 } } });
  const caller = new AbortController();
  const limits = { signal: caller.signal, timeoutMs: 5000 };
  const streams = Array.from({ length: 10 }, () =>
    client.registry.getBlob(name, blob, { startByte: 0, endByte: undefined }, limits),
  );
  await untilAsked(upstream, 3);
  expect(await head(client)).toBe("found");
  expect(upstream.count("GET", `/v2/kube/pause/blobs/${blob}`)).toBe(3);
  caller.abort();
  for (const answer of await Promise.all(streams)) {
    if (answer.kind === "found") await answer.body.cancel().catch(() => {});
  }
  upstream.on("GET", `/v2/kube/pause/blobs/${blob}`, blobReplies(content));
  expect((await client.registry.getBlob(name, blob, { startByte: 0, endByte: undefined }, client.limits)).kind).toBe(
    "found",
  );
});
