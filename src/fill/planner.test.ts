import { expect, test } from "bun:test";
import { FakeRegistry, down } from "../copy/testing/fake-registry.ts";
import { manifest } from "../copy/testing/images.ts";
import { parsePlatform } from "../reference/platform.ts";
import { unavailable } from "../registry/unavailable.ts";
import { countStates, sumsOf } from "./plan.ts";
import { readImages } from "./read-images.ts";
import { FillWorld, keysOf } from "./testing/world.ts";

test("every blob of every platform once, and what each bucket lacks", async () => {
  using world = new FillWorld(2);
  const [first] = world.buckets;
  first?.objects.set(world.shared.named.digest, world.shared.bytes);
  const plan = await world.plan();
  expect([...plan.blobs.keys()].toSorted()).toEqual([...keysOf(world.blobs)]);
  expect(plan.images).toMatchObject([
    { name: "registry.test/two:v1", sizeBytes: 5738, failure: undefined },
    { name: "registry.test/one:v1", sizeBytes: 5014 },
  ]);
  expect(plan.images.map(({ blobs }) => blobs.length)).toEqual([5, 2]);
  const counts = plan.targets.map((target) => countStates(target, plan.blobs));
  expect(counts.map(({ held, missing }) => [held.blobs, missing.blobs, missing.sizeBytes])).toEqual([
    [1, 4, 738],
    [0, 5, 5738],
  ]);
  expect(sumsOf(plan)).toEqual({
    blobs: 5,
    sizeBytes: 5738,
    reads: 5,
    readBytes: 5738,
    puts: 9,
    putBytes: 6476,
    requests: 14,
  });
  expect(world.registry.count("GET-BLOB")).toBe(0);
  expect(world.registry.count("GET")).toBe(4);
});

test("one platform alone", async () => {
  using world = new FillWorld();
  const platform = parsePlatform("linux/arm64");
  if (platform === undefined) throw new Error("no platform");
  const read = await readImages(world.run.parts, [world.image("two", "v1")], [platform]);
  expect([...read.blobs.keys()].toSorted()).toEqual([...keysOf([...world.configs.slice(1), world.arm])]);
  const windows = await readImages(world.run.parts, [world.image("two", "v1")], [{ ...platform, os: "windows" }]);
  expect(windows.images[0]?.failure).toMatchObject({ kind: "platform" });
});

test("every tag of a repository, an image that is named twice once", async () => {
  using world = new FillWorld();
  const other = manifest({ config: world.configs[0]?.named, layers: [] });
  world.registry.hold("one", [], { v2: other });
  const plan = await world.plan([world.image("one"), world.image("one", "v1")]);
  expect(plan.images.map(({ name }) => name).toSorted()).toEqual(["registry.test/one:v1", "registry.test/one:v2"]);
});

test("bad images have their rows, and stop no others", async () => {
  const registry = new FakeRegistry("registry.test", {
    before: (request) =>
      request.includes(" gone ") || request.includes("TAGS lost") ? down("failed", 500) : undefined,
  });
  using world = new FillWorld(1, registry);
  registry.hold("bad", [], {
    text: { body: { ...manifest({}).body, bytes: new TextEncoder().encode("{") }, named: manifest({}).named },
  });
  const plan = await world.plan([
    world.image("one", "none"),
    world.image("gone", "v1"),
    world.image("lost"),
    world.image("never"),
    world.image("bad", "text"),
    world.image("one", "v1"),
  ]);
  const kinds = Object.fromEntries(plan.images.map(({ name, failure }) => [name, failure?.kind]));
  expect(kinds).toEqual({
    "registry.test/one:none": "absent",
    "registry.test/gone:v1": "failed",
    "registry.test/lost": "failed",
    "registry.test/never": "absent",
    "registry.test/bad:text": "manifest",
    "registry.test/one:v1": undefined,
  });
  expect(plan.blobs.size).toBe(2);
});

test("a bucket that gives no word is unknown, an object of another size wrong", async () => {
  using world = new FillWorld(2);
  const [silent, wrong] = world.buckets;
  if (silent === undefined || wrong === undefined) throw new Error("no buckets");
  silent.instead = () => unavailable("unreachable", "it is gone");
  wrong.objects.set(world.own.named.digest, new Uint8Array(3));
  const plan = await world.plan();
  const [of, other] = plan.targets.map((target) => countStates(target, plan.blobs));
  expect([of?.unknown.blobs, of?.missing.blobs, other?.wrong.blobs, other?.missing.blobs]).toEqual([5, 0, 1, 4]);
  expect(plan.targets[0]?.holdings.failure?.message).toBe("it is gone");
});
