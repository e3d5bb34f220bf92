import { afterEach, beforeEach, expect, test } from "bun:test";
import type { Tag } from "../../reference/repository.ts";
import { down } from "../testing/fake-registry.ts";
import { refresh, type RefreshRow } from "./refresh.ts";
import { Images } from "./testing/images.ts";
import { createWorld, placeOf, run, type World } from "./testing/world.ts";
import { warm } from "./warm.ts";

const never = new AbortController().signal;
const name = "quay.io/a/b:v1";
let world: World;
let images: Images;

beforeEach(async () => {
  world = await createWorld();
  images = new Images(world.registry, "a/b");
  images.manifest([images.blob("one")], "v1");
  await run(warm(world.keeping, [name], { platforms: [], referrers: false }, never));
});
afterEach(() => world[Symbol.asyncDispose]());

async function refreshed(...references: readonly string[]): Promise<readonly RefreshRow[]> {
  return (await run(refresh(world.keeping, references, never))).rows;
}

test("a fresh tag is asked for all the same; what did not change is not fetched", async () => {
  const gets = world.registry.count("GET manifest");
  expect(await refreshed(name)).toMatchObject([{ status: "unchanged" }]);
  expect(world.registry.count("HEAD manifest")).toBe(1);
  expect(world.registry.count("GET manifest")).toBe(gets);
});

test("a tag that moved is fetched, and both digests are said", async () => {
  const before = (await world.keeping.index.tag(placeOf("a/b"), "v1" as Tag))?.digest;
  const { digest } = images.manifest([images.blob("two")], "v1");
  expect(await refreshed(name)).toMatchObject([{ status: "changed", digest, before }]);
  expect(await world.keeping.index.manifestAt(placeOf("a/b"), digest)).toBeDefined();
});

test("a tag that was not held is fetched", async () => {
  const { digest } = images.manifest([images.blob("new")], "v2");
  expect(await refreshed("quay.io/a/b:v2")).toMatchObject([{ status: "fetched", digest, before: undefined }]);
});

test("a tag that is gone is gone here too", async () => {
  world.registry.heads.delete("a/b v1");
  expect(await refreshed(name)).toMatchObject([{ status: "gone" }]);
  expect(await world.keeping.index.tag(placeOf("a/b"), "v1" as Tag)).toBeUndefined();
});

test("no word changes nothing and is said; one bad reference stops no other", async () => {
  world.registry.heads.set("a/b v1", [async () => down()]);
  const { rows, summary, outcome } = await run(
    refresh(world.keeping, [name, "quay.io/none:1", `quay.io/a/b@sha256:${"0".repeat(64)}`, "ghcr.io/x:1"], never),
  );
  expect(rows.map(({ status, reason }) => [status, reason])).toEqual([
    ["failed", expect.stringContaining("is down")],
    ["failed", "quay.io says that it has no such tag"],
    ["failed", "a digest never changes; name a tag"],
    ["failed", expect.stringContaining("no rule serves")],
  ]);
  expect(await world.keeping.index.tag(placeOf("a/b"), "v1" as Tag)).toBeDefined();
  expect([summary?.failed, outcome]).toEqual([4, "failed"]);
});
