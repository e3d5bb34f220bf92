import { afterEach, beforeEach, expect, test } from "bun:test";
import { parsePlatform, type Platform } from "../../reference/platform.ts";
import type { Rule } from "../../rules/rule.ts";
import { digestOf, down, latch } from "../testing/fake-registry.ts";
import type { Events } from "./events.ts";
import { type Described, forPlatform, Images } from "./testing/images.ts";
import { createWorld, placeOf, ruleOf, run, type World } from "./testing/world.ts";
import { warm, type WarmRow, type WarmTotals } from "./warm.ts";
import type { WarmOptions } from "./warm-image.ts";

let world: World;
let images: Images;
const all: WarmOptions = { platforms: [], referrers: false };
const never = new AbortController().signal;

async function begin(...rules: readonly Rule[]): Promise<void> {
  world = await createWorld(...rules);
  images = new Images(world.registry, "a/b");
}

beforeEach(() => begin());
afterEach(() => world[Symbol.asyncDispose]());

function warming(references: readonly string[], options: Partial<WarmOptions> = {}): Events<WarmRow, WarmTotals> {
  return warm(world.keeping, references, { ...all, ...options }, never);
}

function platforms(...texts: readonly string[]): readonly Platform[] {
  return texts.flatMap((text) => parsePlatform(text) ?? []);
}

/** An index of two platforms and the attestation of one. */
function publish(tag = "v1"): readonly Described[] {
  const amd64 = forPlatform(images.manifest([images.blob("amd64")]), "linux", "amd64");
  const arm64 = forPlatform(images.manifest([images.blob("arm64")]), "linux", "arm64");
  const attestation = forPlatform(images.manifest([images.blob("provenance")]), "unknown", "unknown");
  return [amd64, arm64, attestation, images.index([amd64, arm64, attestation], tag)];
}

test("an image is held after it was warmed, and the second time nothing is fetched", async () => {
  publish();
  const first = await run(warming(["quay.io/a/b:v1"]));
  expect(first.rows).toMatchObject([
    { name: "quay.io/a/b:v1", status: "warmed", manifests: 4, blobs: 6, failures: [] },
  ]);
  expect(first.summary).toMatchObject({ warmed: 1, held: 0, failed: 0, outcome: "clean" });
  const { asked } = world.registry;
  const before = asked.length;
  const second = await run(warming(["quay.io/a/b:v1"]));
  expect(second.rows).toMatchObject([{ status: "held", manifests: 4, blobs: 6, fetchedBytes: 0 }]);
  expect(second.rows[0]?.sizeBytes).toBe(first.rows[0]?.sizeBytes);
  expect(asked.length).toBe(before);
  expect(await world.keeping.index.counts()).toEqual({ blobs: 6, manifests: 4, tags: 1 });
});

test("the bytes fetched are those of manifests and blobs", async () => {
  const layer = images.blob("x".repeat(1000));
  const { size } = images.manifest([layer], "v1");
  const { rows } = await run(warming(["quay.io/a/b:v1"]));
  const config = (rows[0]?.sizeBytes ?? 0) - 1000;
  expect(rows[0]?.fetchedBytes).toBe(1000 + config + size);
});

test("one bad reference stops no other, and its reason is said", async () => {
  publish();
  const { rows, outcome } = await run(
    warming(["quay.io/a/b:none", "ghcr.io/a/b:v1", "quay.io/a/b:v1", "quay.io/a/b:v1"]),
  );
  expect(rows.map(({ status, failures }) => [status, failures])).toEqual([
    ["failed", ["quay.io says that it has no such manifest"]],
    ["failed", [expect.stringContaining("no rule serves ghcr.io/a/b")]],
    ["warmed", []],
  ]);
  expect(outcome).toBe("failed");
});

test.each([
  [["linux/arm64"], 1, []],
  [["linux/arm64", "linux/amd64"], 2, []],
  [["linux/arm64", "linux/s390x"], 1, ["it has no linux/s390x; it offers linux/amd64, linux/arm64"]],
  [["linux/s390x"], 0, ["it has no linux/s390x; it offers linux/amd64, linux/arm64"]],
])("platforms %p", async (wanted, children, failures) => {
  publish();
  const { rows } = await run(warming(["quay.io/a/b:v1"], { platforms: platforms(...wanted) }));
  expect(rows).toMatchObject([{ manifests: 1 + children, blobs: 2 * children, failures }]);
});

test("an image of one platform is taken whole, whatever platform is asked for", async () => {
  images.manifest([images.blob("x")], "v1");
  const { rows } = await run(warming(["quay.io/a/b:v1"], { platforms: platforms("linux/arm64") }));
  expect(rows).toMatchObject([{ status: "warmed", manifests: 1, blobs: 2 }]);
});

test("a child that its registry never had is a warning, and a failure where its platform was asked for", async () => {
  const here = forPlatform(images.manifest([images.blob("here")]), "linux", "amd64");
  const lost = { ...forPlatform(here, "linux", "arm64"), digest: digestOf(new Uint8Array([1])) };
  images.index([here, lost], "v1");
  const everything = await run(warming(["quay.io/a/b:v1"]));
  expect(everything.rows).toMatchObject([{ status: "warmed", warnings: [expect.stringContaining(lost.digest)] }]);
  const asked = await run(warming(["quay.io/a/b:v1"], { platforms: platforms("linux/arm64") }));
  expect(asked.rows).toMatchObject([{ status: "failed", failures: [expect.stringContaining(lost.digest)] }]);
});

test("a manifest that cannot be relied on is a failure and is not followed", async () => {
  images.document(`{"schemaVersion":2,"layers":[],"Layers":[]}`, "application/vnd.oci.image.manifest.v1+json", "v1");
  const { rows } = await run(warming(["quay.io/a/b:v1"]));
  expect(rows).toMatchObject([{ status: "failed", blobs: 0, failures: [expect.stringContaining("another spelling")] }]);
});

test("blobs that are absent or wrong fail the image, the others are held all the same", async () => {
  const good = images.blob("good");
  const wrong = images.blob("wrong");
  const absent = { ...good, digest: digestOf(new Uint8Array([2])) };
  const foreign = { ...absent, mediaType: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip" };
  world.registry.blobs.set(`a/b ${wrong.digest}`, world.registry.blobs.get(`a/b ${good.digest}`) ?? []);
  images.manifest([good, wrong, absent], "v1");
  images.manifest([good, foreign], "windows");
  const { rows } = await run(warming(["quay.io/a/b:v1", "quay.io/a/b:windows"]));
  expect(rows[0]?.failures.toSorted()).toEqual([
    `quay.io says that it has no blob ${absent.digest}`,
    expect.stringContaining("sent bytes whose digest is"),
  ]);
  expect(await world.keeping.index.blobAt(placeOf("a/b"), good.digest)).toBeDefined();
  expect(await world.keeping.index.blob(wrong.digest)).toBeUndefined();
  expect(rows[1]).toMatchObject({ status: "warmed", failures: [] });
});

test("what is held and could not be checked is stale, and the answer incomplete", async () => {
  images.manifest([images.blob("x")], "v1");
  await run(warming(["quay.io/a/b:v1"]));
  world.pass(3_600_001);
  world.registry.heads.set("a/b v1", [async () => down()]);
  const { rows, outcome } = await run(warming(["quay.io/a/b:v1"]));
  expect(rows).toMatchObject([{ status: "stale", warnings: [expect.stringContaining("is down")] }]);
  expect(outcome).toBe("incomplete");
});

test("a blob that does not fit into the quota beside what is fresh is not begun", async () => {
  await world[Symbol.asyncDispose]();
  await begin(ruleOf({ maxSizeBytes: 500 }));
  const big = images.blob("x".repeat(501));
  images.manifest([big], "v1");
  const { rows } = await run(warming(["quay.io/a/b:v1"]));
  expect(rows).toMatchObject([{ status: "failed", failures: [expect.stringContaining("maxSize of rule all")] }]);
  expect(world.registry.asked.filter(([, , of]) => of === big.digest)).toEqual([]);
});

test("a manifest that came and could not be written is a failure", async () => {
  images.manifest([images.blob("x")], "v1");
  const { index } = world.keeping;
  index.putManifest = () => Promise.resolve();
  const { rows } = await run(warming(["quay.io/a/b:v1"]));
  expect(rows).toMatchObject([{ status: "failed", failures: [expect.stringContaining("could not be written")] }]);
});

test("blobs that were seen elsewhere are linked by the upstream's word and not fetched again", async () => {
  images.manifest([images.blob("shared")], "v1");
  await run(warming(["quay.io/a/b:v1"]));
  const others = new Images(world.registry, "c");
  others.manifest([others.blob("shared")], "v1");
  const gets = world.registry.count("GET blob");
  const { rows } = await run(warming(["quay.io/c:v1"]));
  expect(rows).toMatchObject([{ status: "warmed", blobs: 2 }]);
  expect(world.registry.count("GET blob")).toBe(gets);
});

test("four blobs at once, and a download that another began is waited for", async () => {
  const gate = latch();
  const layers = Array.from({ length: 9 }, (_, n) => images.blob(`layer ${n}`, gate.opened));
  images.manifest(layers, "v1");
  const [first] = layers;
  if (first === undefined) throw new Error("no layers");
  const pull = { place: placeOf("a/b"), rule: ruleOf({}) };
  expect((await world.keeping.blobs.open(pull, first.digest)).kind).toBe("filling");
  let most = 0;
  const rows: WarmRow[] = [];
  for await (const event of warming(["quay.io/a/b:v1"])) {
    most = Math.max(most, world.keeping.blobs.runningFills);
    if (event.kind === "progress" && most === 4) gate.open();
    if (event.kind === "result") rows.push(event);
  }
  expect(most).toBe(4);
  expect(rows).toMatchObject([{ status: "warmed", blobs: 10 }]);
  expect(world.registry.asked.filter(([method, , of]) => method === "GET blob" && of === first.digest).length).toBe(1);
});

test("progress tells of the bytes of a download that runs", async () => {
  const gate = latch();
  images.manifest([images.blob("x".repeat(5000), gate.opened)], "v1");
  const seen: number[] = [];
  for await (const event of warming(["quay.io/a/b:v1"])) {
    if (event.kind !== "progress") continue;
    seen.push(event.bytes);
    if (event.bytes > 4900) gate.open();
  }
  expect(seen[0]).toBe(0);
  expect(Math.max(...seen)).toBeGreaterThan(4900);
});

test("stopping begins nothing more and waits for nothing; what has come stays", async () => {
  const gate = latch();
  images.manifest([images.blob("at once"), images.blob("never", gate.opened)], "v1");
  images.manifest([images.blob("another image")], "v2");
  const stop = new AbortController();
  const kinds: string[] = [];
  for await (const event of warm(world.keeping, ["quay.io/a/b:v1", "quay.io/a/b:v2"], all, stop.signal)) {
    kinds.push(event.kind);
    if ((await world.keeping.index.counts()).blobs === 2) stop.abort();
  }
  expect(new Set(kinds)).toEqual(new Set(["progress"]));
  expect(await world.keeping.index.counts()).toEqual({ blobs: 2, manifests: 1, tags: 1 });
  gate.open();
});

test("what refers to an image comes with it when asked: by tag and by the list", async () => {
  const [amd64, , , index] = publish();
  if (index === undefined || amd64 === undefined) throw new Error("nothing published");
  images.manifest([images.blob("signature")], `${index.digest.replace(":", "-")}.sig`);
  images.manifest([images.blob("attestation of a child")], `${amd64.digest.replace(":", "-")}.att`);
  const sbom = images.manifest([images.blob("sbom")]);
  const list = new TextEncoder().encode(JSON.stringify({ schemaVersion: 2, manifests: [sbom] }));
  const page = { bytes: list, mediaType: "x/y", nextQuery: undefined, filtersApplied: undefined };
  world.registry.pages.set(`a/b ${index.digest}?`, [async () => ({ kind: "found", ...page })]);
  const without = await run(warming(["quay.io/a/b:v1"]));
  expect(without.rows).toMatchObject([{ manifests: 4, blobs: 6 }]);
  const withThem = await run(warming(["quay.io/a/b:v1"], { referrers: true }));
  expect(withThem.rows).toMatchObject([{ status: "warmed", manifests: 7, blobs: 12 }]);
  expect(await world.keeping.index.page(placeOf("a/b"), `referrers/${index.digest}?`)).toBeDefined();
});
