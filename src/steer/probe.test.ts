import { afterEach, expect, test } from "bun:test";
import type { Presence } from "./events.ts";
import { acceptManifests } from "../manifest/media-types.ts";
import { testEgress } from "../registry/testing/egress.ts";
import { type ScriptedUpstream, startScriptedUpstream } from "../registry/testing/scripted-upstream.ts";
import { upstreamAt } from "../registry/testing/upstream.ts";
import { bucketHolder, signaturesHolder, upstreamHolder } from "./holder.ts";
import { createProbe, meaningOf } from "./probe.ts";
import { bucketOf } from "./testing/holders.ts";

const started: ScriptedUpstream[] = [];
afterEach(() => {
  for (const upstream of started.splice(0)) upstream.stop();
});

function start(): ScriptedUpstream {
  const upstream = startScriptedUpstream();
  started.push(upstream);
  return upstream;
}

const probe = createProbe({ fetch, egress: testEgress(), userAgent: "periplus/1.2.3" });
const never = new AbortController().signal;

test.each<[number | undefined, Presence, Presence, boolean]>([
  [200, "held", "held", false],
  [206, "unknown", "held", false],
  [301, "unknown", "held", false],
  [307, "unknown", "held", false],
  [400, "unknown", "unknown", false],
  [401, "unknown", "unknown", false],
  [403, "absent", "unknown", false],
  [404, "absent", "absent", false],
  [410, "absent", "absent", false],
  [408, "unknown", "unknown", true],
  [429, "unknown", "unknown", true],
  [500, "unknown", "unknown", true],
  [503, "unknown", "unknown", true],
  [undefined, "unknown", "unknown", true],
])("%p says %s in a bucket and %s in a registry", (status, bucket, registry, isFault) => {
  expect(meaningOf("bucket", status)).toEqual({ presence: bucket, isFault });
  expect(meaningOf("registry", status)).toEqual({ presence: registry, isFault });
});

test("a bucket that the operator put on loopback is asked by HEAD, and a redirect is not followed", async () => {
  const store = start();
  store.on("HEAD", "/images/a", { status: 307, headers: { Location: "/images/b" } });
  store.on("HEAD", "/images/b", { status: 200 });
  const holder = bucketHolder(bucketOf("first", { url: `${store.url}/images` }));
  expect(await probe(holder, `${store.url}/images/a`, never)).toBe(307);
  expect(await probe(holder, `${store.url}/images/b`, never)).toBe(200);
  expect(await probe(holder, `${store.url}/images/c`, never)).toBe(404);
  expect(store.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
    "HEAD /images/a",
    "HEAD /images/b",
    "HEAD /images/c",
  ]);
  expect(store.requests.every(({ headers }) => !headers.has("authorization") && !headers.has("cookie"))).toBeTrue();
});

test("a registry is asked for every kind of manifest", async () => {
  const registry = start();
  registry.on("HEAD", "/v2/a/manifests/sha256:0", { status: 200 });
  const url = `${registry.url}/v2/a/manifests/sha256:0`;
  const upstream = upstreamAt(registry.url);
  expect(await probe(upstreamHolder(upstream), url, never)).toBe(200);
  expect(await probe(signaturesHolder(registry.url, upstream), url, never)).toBe(200);
  expect(registry.requests.map(({ headers }) => headers.get("accept"))).toEqual([acceptManifests, acceptManifests]);
});

test("no answer is no status: a refused connection, a reset, an end by the signal, an address that is not allowed", async () => {
  const store = start();
  store.on("HEAD", "/cut", { cut: { at: "head", by: "rst" } });
  const holder = bucketHolder(bucketOf("first", { url: store.url }));
  expect(await probe(holder, `${store.url}/cut`, never)).toBeUndefined();
  expect(await probe(holder, `${store.url}/a`, AbortSignal.abort())).toBeUndefined();
  store.stop();
  expect(await probe(holder, `${store.url}/a`, never)).toBeUndefined();
  const registry = start();
  const guarded = upstreamHolder(upstreamAt(registry.url, { mayBePrivate: false }));
  expect(await probe(guarded, `${registry.url}/v2/`, never)).toBeUndefined();
  expect(registry.requests).toHaveLength(0);
});
