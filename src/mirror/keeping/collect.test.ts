import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { RegistryHost } from "../../reference/host.ts";
import type { Repository, Tag } from "../../reference/repository.ts";
import { digestOf } from "../testing/fake-registry.ts";
import { collect } from "./collect.ts";
import { Images } from "./testing/images.ts";
import { createWorld, placeOf, ruleOf, run, type World } from "./testing/world.ts";
import { warm } from "./warm.ts";
import { staleWindows } from "./windows.ts";

const never = new AbortController().signal;
const orphan = digestOf(new Uint8Array([1]));
const hourMs = 3_600_000;
let world: World;

beforeEach(async () => {
  world = await createWorld();
  const images = new Images(world.registry, "a/b");
  const [lost, cut] = [images.blob("lost"), images.blob("cut off")];
  images.manifest([lost, cut, images.blob("well")], "v1");
  await run(warm(world.keeping, ["quay.io/a/b:v1"], { platforms: [], referrers: false }, never));
  rmSync(world.layout.blob(lost.digest));
  truncateSync(world.layout.blob(cut.digest), 3);
  mkdirSync(dirname(world.layout.blob(orphan)), { recursive: true });
  writeFileSync(world.layout.blob(orphan), "12345");
  const { index, nowMs } = world.keeping;
  await index.link(placeOf("c"), digestOf(new Uint8Array([2])));
  const page = { bytes: new Uint8Array(9), mediaType: "x", nextQuery: undefined, filtersApplied: undefined };
  const tag = { digest: orphan, mediaType: undefined, sizeBytes: 1 };
  for (const [name, ageMs] of [
    ["young", 2 * hourMs - 1000],
    ["old", 2 * hourMs + 1000],
  ] as const) {
    const checkedAtMs = nowMs() - ageMs;
    await index.putTag(placeOf("c"), { ...tag, tag: name as Tag, checkedAtMs });
    await index.putPage(placeOf("c"), name, { ...page, checkedAtMs });
  }
});
afterEach(() => world[Symbol.asyncDispose]());

test("a blob of our own that no manifest names goes when its lease is over, and its file with it", async () => {
  const { hosted, content, nowMs } = world.keeping;
  const bytes = new Uint8Array([1, 2, 3]);
  const digest = digestOf(bytes);
  const draft = await content.begin(digest);
  await draft.write([bytes], 0);
  await content.publish(draft, digest);
  await draft.close();
  const own = "team/app" as Repository;
  await hosted.addBlob(own, { digest, sizeBytes: 3, leasedAtMs: nowMs() });
  expect((await run(collect(world.keeping, { dryRun: false }, never))).summary).toMatchObject({ own: 0 });
  expect(await content.stat(digest)).toBe(3);
  world.pass(25 * hourMs);
  const dry = await run(collect(world.keeping, { dryRun: true }, never));
  expect(dry.rows).toContainEqual(expect.objectContaining({ what: "own", name: `${own}@${digest}`, isRemoved: false }));
  expect(await content.stat(digest)).toBe(3);
  const { summary, rows } = await run(collect(world.keeping, { dryRun: false }, never));
  expect(summary).toMatchObject({ own: 1 });
  expect(rows).toContainEqual(expect.objectContaining({ what: "file", name: digest, freedBytes: 3, isRemoved: true }));
  expect([await content.stat(digest), await hosted.blob(own, digest)]).toEqual([undefined, undefined]);
});

test("what nothing needs is said, then taken away, and what can be served stays", async () => {
  const before = await world.keeping.quota.heldBytes("all");
  const dry = await run(collect(world.keeping, { dryRun: true }, never));
  const wet = await run(collect(world.keeping, { dryRun: false }, never));
  expect(dry.summary).toEqual({ ...wet.summary, isRemoved: false } as typeof dry.summary & object);
  expect(wet.summary).toMatchObject({ files: 1, rows: 2, links: 1, tags: 1, lists: 1, freedBytes: 5 + 3 + 9 });
  expect(dry.rows.map(({ what, name }) => [what, name])).toEqual(wet.rows.map(({ what, name }) => [what, name]));
  expect(wet.rows.map(({ name }) => name)).toEqual(
    expect.arrayContaining([String(orphan), "quay.io/c:old", "quay.io/c old"]),
  );
  const { index, content, quota } = world.keeping;
  expect(await content.stat(orphan)).toBeUndefined();
  expect(await index.counts()).toEqual({ blobs: 2, manifests: 1, tags: 2 });
  expect((await index.linksAfter(undefined, 9)).every(({ held }) => held)).toBe(true);
  expect((await index.pagesAfter(undefined, 9)).map(({ key }) => key)).toEqual(["young"]);
  expect(await quota.heldBytes("all")).toBe(before - "lost".length - "cut off".length);
  const again = await run(collect(world.keeping, { dryRun: false }, never));
  expect(again.rows).toEqual([]);
});

test("a dry run changes nothing", async () => {
  const counts = await world.keeping.index.counts();
  await run(collect(world.keeping, { dryRun: true }, never));
  expect(await world.keeping.index.counts()).toEqual(counts);
  expect(await world.keeping.content.stat(orphan)).toBe(5);
});

test("stopping ends it without a summary", async () => {
  const stop = new AbortController();
  stop.abort();
  const { rows, summary } = await run(collect(world.keeping, { dryRun: false }, stop.signal));
  expect([rows, summary]).toEqual([[], undefined]);
});

const quay = "quay.io" as RegistryHost;
const k8s = "registry.k8s.io" as RegistryHost;
const name = (host: string): { readonly kind: "name"; readonly name: RegistryHost } => {
  return { kind: "name", name: host as RegistryHost };
};
const dayMs = 24 * hourMs;

test.each([
  ["quay.io", [ruleOf({ freshForMs: 1, serveStaleForMs: 2 })], 3],
  ["quay.io", [ruleOf({ freshForMs: 100 }), ruleOf({ match: name(quay), freshForMs: 1, serveStaleForMs: 2 })], 3],
  ["registry.k8s.io", [ruleOf({ match: name("k8s.gcr.io"), upstream: k8s, freshForMs: 4, serveStaleForMs: 4 })], 8],
  ["quay.io", [ruleOf({ match: name("registry.k8s.io") })], 8 * dayMs],
  ["quay.io", [ruleOf({ serve: "redirect" })], 8 * dayMs],
  ["quay.io", [ruleOf({ upstream: quay, freshForMs: 5, serveStaleForMs: 5 })], 10],
])("the stale window of %s under rules %#", async (upstream, rules, windowMs) => {
  await using other = await createWorld(...rules);
  expect(staleWindows(other.keeping.registries)(placeOf("a/b", upstream))).toBe(windowMs);
});
