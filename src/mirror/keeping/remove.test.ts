import { afterEach, beforeEach, expect, test } from "bun:test";
import type { Tag } from "../../reference/repository.ts";
import { remove, type RemoveRow } from "./remove.ts";
import { type Described, Images } from "./testing/images.ts";
import { createWorld, placeOf, ruleOf, run, type World } from "./testing/world.ts";
import { warm } from "./warm.ts";

const never = new AbortController().signal;
let world: World;
let layer: Described;
let manifest: Described;

/** One image at two places, with a layer that both have. */
beforeEach(async () => {
  world = await createWorld();
  for (const repository of ["a/b", "c"]) {
    const images = new Images(world.registry, repository);
    layer = images.blob("shared");
    manifest = images.manifest([layer], "v1", "v2");
  }
  const references = ["quay.io/a/b:v1", "quay.io/a/b:v2", "quay.io/c:v1"];
  await run(warm(world.keeping, references, { platforms: [], referrers: false }, never));
});
afterEach(() => world[Symbol.asyncDispose]());

async function removed(all: boolean, ...references: readonly string[]): Promise<readonly RemoveRow[]> {
  return (await run(remove(world.keeping, references, { all }, never))).rows;
}

test("a tag goes alone: its manifest, its layers and the other tags stay", async () => {
  expect(await removed(false, "quay.io/a/b:v1")).toMatchObject([
    { status: "removed", what: "tag", freedBytes: 0, detail: expect.stringContaining(manifest.digest) },
  ]);
  const { index } = world.keeping;
  expect(await index.tag(placeOf("a/b"), "v1" as Tag)).toBeUndefined();
  expect(await index.tag(placeOf("a/b"), "v2" as Tag)).toBeDefined();
  expect(await index.counts()).toEqual({ blobs: 2, manifests: 1, tags: 2 });
  expect(await removed(false, "quay.io/a/b:v1")).toMatchObject([{ status: "absent" }]);
});

test("a tag that was removed is fetched anew, also when it was served a moment ago", async () => {
  const pull = { place: placeOf("a/b"), rule: ruleOf({}) };
  await world.keeping.manifests.byTag(pull, "v1" as Tag);
  await removed(false, "quay.io/a/b:v1");
  expect(world.keeping.manifests.recent(pull, "v1" as Tag)).toBeUndefined();
  expect(await world.keeping.manifests.byTag(pull, "v1" as Tag)).toMatchObject({ kind: "found", origin: "miss" });
});

test("a manifest by digest goes with the tags for it there, and stays for other places", async () => {
  const [first] = await removed(false, `quay.io/a/b@${manifest.digest}`);
  expect(first).toMatchObject({ status: "removed", what: "manifest" });
  expect(first?.detail).toBe("not held here any more, nor the 2 tags for it; its bytes stay for quay.io/c");
  const { index } = world.keeping;
  expect(await index.manifestAt(placeOf("a/b"), manifest.digest)).toBeUndefined();
  expect(await index.manifestAt(placeOf("c"), manifest.digest)).toBeDefined();
  const [second] = await removed(false, `quay.io/c@${manifest.digest}`);
  expect(second?.detail).toBe(
    "not held here any more, nor the 1 tag for it; its layers stay until they are evicted or removed",
  );
  expect(await index.counts()).toEqual({ blobs: 2, manifests: 0, tags: 0 });
});

test("a blob's file goes with its last place, and the quota counts it out", async () => {
  const { content, quota } = world.keeping;
  const before = await quota.heldBytes("all");
  expect(await removed(false, `quay.io/a/b@${layer.digest}`)).toMatchObject([{ what: "blob", freedBytes: 0 }]);
  expect(await content.stat(layer.digest)).toBe(layer.size);
  expect(await removed(false, `quay.io/c@${layer.digest}`)).toMatchObject([{ what: "blob", freedBytes: layer.size }]);
  expect(await content.stat(layer.digest)).toBeUndefined();
  expect(await quota.heldBytes("all")).toBe(before - layer.size);
});

test("a digest alone goes everywhere", async () => {
  expect(await removed(false, layer.digest, manifest.digest, layer.digest)).toMatchObject([
    { status: "removed", what: "blob", freedBytes: layer.size, detail: "removed from 2 repositories" },
    { status: "removed", what: "manifest", detail: "removed from 2 repositories" },
    { status: "absent" },
  ]);
  expect(await world.keeping.index.placesOf(layer.digest)).toEqual([]);
});

test("a repository goes with all that only it has", async () => {
  const page = {
    bytes: new Uint8Array([1]),
    mediaType: "x",
    nextQuery: undefined,
    filtersApplied: undefined,
    checkedAtMs: 1,
  };
  await world.keeping.index.putPage(placeOf("a/b"), "tags?", page);
  await world.keeping.index.putPage(placeOf("c"), "tags?", page);
  const [first] = await removed(true, "quay.io/a/b");
  expect(first).toMatchObject({ status: "removed", what: "repository", freedBytes: 0, name: "quay.io/a/b" });
  expect(first?.detail).toBe("2 tags, 1 list, 3 manifests and blobs, 3 of which stay for other repositories");
  expect(await removed(true, "quay.io/c")).toMatchObject([{ detail: "1 tag, 1 list, 3 manifests and blobs" }]);
  expect(await world.keeping.index.counts()).toEqual({ blobs: 0, manifests: 0, tags: 0 });
  expect(await world.keeping.index.linksAfter(undefined, 9)).toEqual([]);
  expect(await removed(true, "quay.io/c")).toMatchObject([{ status: "absent" }]);
});

test("--all takes repositories only; a bad reference stops no other", async () => {
  const { rows, outcome } = await run(
    remove(world.keeping, ["quay.io/c:v1", layer.digest, "quay.io/none"], { all: true }, never),
  );
  expect(rows.map(({ status }) => status)).toEqual(["failed", "failed", "absent"]);
  expect(outcome).toBe("failed");
});

test("what no rule serves any more can be removed", async () => {
  const place = placeOf("old", "ghcr.io");
  const row = { tag: "v1" as Tag, digest: manifest.digest, mediaType: undefined, sizeBytes: 1, checkedAtMs: 1 };
  await world.keeping.index.putTag(place, row);
  expect(await removed(false, "ghcr.io/old:v1")).toMatchObject([{ status: "removed", what: "tag" }]);
});
