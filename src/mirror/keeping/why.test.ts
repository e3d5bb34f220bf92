import { afterEach, beforeEach, expect, test } from "bun:test";
import { whyText } from "../../cli/cache/why-text.ts";
import type { Digest } from "../../reference/digest.ts";
import type { RegistryHost } from "../../reference/host.ts";
import type { Repository, Tag } from "../../reference/repository.ts";
import { type Described, forPlatform, Images } from "./testing/images.ts";
import { createWorld, ruleOf, run, type World } from "./testing/world.ts";
import { warm } from "./warm.ts";
import { why, type WhyRow } from "./why.ts";

const never = new AbortController().signal;
const hourMs = 3_600_000;
let world: World;
let amd64: Described;
let arm64: Described;
let layer: Described;
let warmedAtMs: number;

const redirected = ruleOf({
  id: "redirected",
  match: { kind: "name", name: "registry.k8s.io" as RegistryHost },
  serve: "redirect",
});
const own = ruleOf({ id: "own", match: { kind: "name", name: "own.test" as RegistryHost }, serve: "store" });

/** An index of two platforms of which one is held. */
beforeEach(async () => {
  world = await createWorld(ruleOf({ maxSizeBytes: 10_000 }), redirected, own);
  const images = new Images(world.registry, "a/b");
  layer = images.blob("layer of amd64");
  amd64 = forPlatform(images.manifest([layer]), "linux", "amd64");
  arm64 = forPlatform(images.manifest([images.blob("layer of arm64")]), "linux", "arm64");
  images.index([amd64, arm64], "v1", "v2");
  const options = { platforms: [{ os: "linux", architecture: "amd64", variant: undefined }], referrers: false };
  await run(warm(world.keeping, ["quay.io/a/b:v1", "quay.io/a/b:v2"], options, never));
  warmedAtMs = world.keeping.nowMs();
});
afterEach(() => world[Symbol.asyncDispose]());

async function explained(reference: string): Promise<WhyRow> {
  const asked = world.registry.asked.length;
  const { rows } = await run(why(world.keeping, [reference], never));
  expect(world.registry.asked.length).toBe(asked);
  const [row] = rows;
  if (row === undefined) throw new Error("no row");
  return row;
}

test("a tag: its rule, its upstream, how fresh it is, and how much of its image is held", async () => {
  const row = await explained("quay.io/a/b:v1");
  const { checkedAtMs = 0 } = row.tag ?? {};
  expect(row).toMatchObject({
    name: "quay.io/a/b:v1",
    upstream: "quay.io",
    url: "https://quay.io",
    rule: { id: "all", match: "*", serve: "cache", maxSizeBytes: 10_000 },
    unserved: undefined,
    tag: { isHeld: true, state: "fresh", freshUntilMs: checkedAtMs + hourMs, staleUntilMs: checkedAtMs + 2 * hourMs },
    content: { what: "manifest", places: ["quay.io/a/b"], tags: ["quay.io/a/b:v1", "quay.io/a/b:v2"], tagCount: 2 },
    image: { manifests: 2, absentManifests: 1, blobs: 2, absentBlobs: 0, firstEvicted: { ruleId: "all" } },
  });
  expect(row.rule?.heldBytes).toBe(row.image?.heldBytes);
});

test.each([
  [hourMs, "due"],
  [2 * hourMs, "expired"],
])("after %p ms the tag is %s", async (ageMs, state) => {
  world.pass(ageMs);
  expect((await explained("quay.io/a/b:v1")).tag).toMatchObject({ state });
});

test("a blob: what keeps it, when it was pulled, from when on it may be evicted", async () => {
  const row = await explained(`quay.io/a/b@${layer.digest}`);
  expect(row.content).toMatchObject({ what: "blob", isElsewhere: false, tagCount: 0 });
  const { blob } = row.content ?? {};
  expect(blob).toMatchObject({ ruleId: "all", ruleMaxSizeBytes: 10_000, isFileThere: true });
  expect(blob?.lastPulledAtMs).toBeLessThanOrEqual(warmedAtMs);
  expect((blob?.evictableFromMs ?? 0) - (blob?.lastPulledAtMs ?? 0)).toBe(10 * 60_000);
  expect(row.image).toBeUndefined();
});

test("pulls that are not written yet are counted", async () => {
  world.pass(hourMs);
  const rule = ruleOf({});
  const place = { upstream: "quay.io", repository: "a/b" } as never;
  await world.keeping.blobs.open({ place, rule }, layer.digest);
  const { blob } = (await explained(layer.digest)).content ?? {};
  expect(blob?.lastPulledAtMs).toBe(world.keeping.nowMs());
});

test("held elsewhere, not held, redirected, not served", async () => {
  expect((await explained(`quay.io/other@${layer.digest}`)).content).toMatchObject({ isElsewhere: true });
  expect(await explained(`quay.io/a/b@${arm64.digest}`)).toMatchObject({ content: undefined, rule: { id: "all" } });
  expect(await explained("quay.io/a/b:none")).toMatchObject({ tag: undefined, content: undefined });
  expect((await explained("registry.k8s.io/pause:1")).unserved).toContain("rule redirected redirects");
  expect((await explained("ghcr.io/x:1")).unserved).toContain("no rule serves ghcr.io/x");
});

test("what a repository of our own has is explained by what names it there", async () => {
  const { hosted } = world.keeping;
  const repository = "team/app" as Repository;
  await hosted.addBlob(repository, { digest: layer.digest, sizeBytes: layer.size, leasedAtMs: 5 });
  const unnamed = await explained(layer.digest);
  expect(unnamed.content?.own).toEqual([{ repository, kind: "blob", leasedAtMs: 5, namedBy: [], tags: [] }]);
  expect(whyText(unnamed, 6)).toContain("team/app: no manifest names it");
  const bytes = new TextEncoder().encode("{}");
  const parent = `sha256:${"ab".repeat(32)}` as Digest;
  await hosted.addManifest(
    repository,
    {
      digest: parent,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      bytes,
      needs: [],
      parts: [layer.digest],
      tags: [{ name: "v1" as Tag, isImmutable: false }],
      refersTo: undefined,
    },
    7,
  );
  const named = await explained(layer.digest);
  expect(named.content?.own).toMatchObject([{ repository, namedBy: [parent] }]);
  expect(whyText(named, 8)).toContain(`team/app: named by ${parent}`);
  expect(whyText(named, 8)).toContain("never while a repository of our own has it");
  expect((await explained("own.test/team/app:v1")).content).toMatchObject({ digest: parent, own: [{ tags: ["v1"] }] });
});

test("the totals tell what is held, what is not, and what is not known", async () => {
  const nowhere = `sha256:${"0".repeat(64)}`;
  const { summary } = await run(why(world.keeping, ["quay.io/a/b:v1", "quay.io/a/b:none", nowhere], never));
  expect(summary).toMatchObject({ held: 1, absent: 1, failed: 1, outcome: "failed" });
});
