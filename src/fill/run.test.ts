import { expect, test } from "bun:test";
import { FakeRegistry, down } from "../copy/testing/fake-registry.ts";
import { unavailable } from "../registry/unavailable.ts";
import type { MemoryBucket } from "./testing/memory-bucket.ts";
import type { FillResult } from "./run.ts";
import { FillWorld, keysOf } from "./testing/world.ts";

/** The first bucket of a world, and its second. */
function both({ buckets }: FillWorld): readonly [MemoryBucket, MemoryBucket] {
  const [first, second] = buckets;
  if (first === undefined || second === undefined) throw new Error("there are no two buckets");
  return [first, second];
}

function figures({ images, targets }: FillResult): object {
  return {
    images: images.map(({ name, status, put, there, failed }) => [name.split("/")[1], status, put, there, failed]),
    targets: targets.map(({ status, put, there, failed, putBytes }) => [status, put, there, failed, putBytes]),
  };
}

test("each blob is read once and put wherever it is missing; the second time there is nothing to do", async () => {
  using world = new FillWorld(2);
  const [first, second] = both(world);
  const rows: string[] = [];
  const result = await world.fill(await world.plan(), { onRow: ({ name }) => rows.push(name) });
  expect(figures(result)).toEqual({
    images: expect.arrayContaining([
      ["two:v1", "filled", 10, 0, 0],
      ["one:v1", "filled", 4, 0, 0],
    ]),
    targets: [
      ["filled", 5, 0, 0, 5738],
      ["filled", 5, 0, 0, 5738],
    ],
  });
  expect(rows.toSorted()).toEqual(["registry.test/one:v1", "registry.test/two:v1"]);
  for (const { objects } of [first, second]) expect([...objects.keys()].toSorted()).toEqual([...keysOf(world.blobs)]);
  for (const { bytes, named } of world.blobs) expect(second.objects.get(named.digest)).toEqual(bytes);
  expect(world.registry.count("GET-BLOB")).toBe(5);
  expect(world.spooled()).toEqual([]);
  const again = await world.fill(await world.plan());
  expect(figures(again)).toMatchObject({
    targets: [
      ["filled", 0, 5, 0, 0],
      ["filled", 0, 5, 0, 0],
    ],
  });
  expect([world.registry.count("GET-BLOB"), first.puts.length]).toEqual([5, 5]);
});

test("what a bucket has is read there, and not from the registry", async () => {
  using world = new FillWorld(2);
  const [first, second] = both(world);
  for (const { named, bytes } of world.blobs.slice(1)) second.objects.set(named.digest, bytes);
  const result = await world.fill(await world.plan());
  expect(result.targets.map(({ put, there }) => [put, there])).toEqual([
    [5, 0],
    [1, 4],
  ]);
  expect([world.registry.count("GET-BLOB"), second.asked.gets, first.asked.gets]).toEqual([1, 4, 0]);
});

test("wrong bytes in a bucket never reach another one: it is said, and the registry is asked", async () => {
  using world = new FillWorld(2);
  const [first, second] = both(world);
  const { digest } = world.shared.named;
  second.objects.set(
    digest,
    world.shared.bytes.map((byte) => byte ^ 1),
  );
  const { targets, images } = await world.fill(await world.plan());
  expect(first.objects.get(digest)).toEqual(world.shared.bytes);
  expect(targets.map(({ status, wrong }) => [status, wrong])).toEqual([
    ["filled", []],
    ["failed", [digest]],
  ]);
  expect(images.map(({ status }) => status)).toEqual(["filled", "filled"]);
});

test("wrong bytes of a registry never become an object, and the other images are filled", async () => {
  using world = new FillWorld(1);
  world.registry.hold("two", [{ ...world.own, bytes: world.own.bytes.map((byte) => byte ^ 1) }]);
  const result = await world.fill(await world.plan());
  expect(figures(result)).toEqual({
    images: expect.arrayContaining([
      ["two:v1", "failed", 4, 0, 1],
      ["one:v1", "filled", 2, 0, 0],
    ]),
    targets: [["failed", 4, 0, 1, 5438]],
  });
  expect(result.targets[0]?.kinds).toEqual({ "wrong-bytes": 1 });
  expect(world.buckets[0]?.objects.has(world.own.named.digest)).toBe(false);
  expect(world.spooled()).toEqual([]);
});

test("a blob that one repository has not is read from another that names it", async () => {
  using world = new FillWorld(1);
  world.registry.drop("two", world.shared.named.digest);
  expect((await world.fill(await world.plan())).images.map(({ status }) => status)).toEqual(["filled", "filled"]);
  world.registry.drop("one", world.shared.named.digest);
  world.buckets[0]?.objects.clear();
  const { images } = await world.fill(await world.plan());
  expect(images.map(({ failures }) => failures[0]?.kind)).toEqual(["missing", "missing"]);
});

test("a stream that is cut is read on from there", async () => {
  let cuts = 0;
  using world = new FillWorld(1);
  const plan = await world.plan([world.image("one", "v1")]);
  for (const wanted of plan.blobs.values()) {
    const [source] = wanted.sources;
    if (source === undefined) continue;
    const cut = {
      ...source,
      getBlob: async (...[digest, range, limits]: Parameters<typeof source.getBlob>) => {
        const answer = await source.getBlob(digest, range, limits);
        if (answer.kind !== "found" || range.startByte > 0) return answer;
        cuts++;
        const all = await new Response(answer.body).bytes();
        return { ...answer, body: new Blob([all.slice(0, 10)]).stream() };
      },
    };
    (wanted.sources as (typeof source)[]).splice(0, 1, cut);
  }
  expect((await world.fill(plan)).images[0]).toMatchObject({ status: "filled", put: 2 });
  expect(cuts).toBe(2);
});

test("a bucket that fails is left alone after five times, and the other one is filled", async () => {
  using world = new FillWorld(2);
  const [first, second] = both(world);
  first.instead = (method) => (method === "put" ? unavailable("denied", "AccessDenied", { status: 403 }) : undefined);
  const plan = await world.plan();
  const result = await world.fill(plan, { blobsAtOnce: 1 });
  expect(figures(result)).toMatchObject({
    targets: [
      ["failed", 0, 0, 5, 0],
      ["filled", 5, 0, 0, 5738],
    ],
  });
  expect(result.targets[0]).toMatchObject({ kinds: { denied: 5 }, isGivenUp: true });
  expect(second.objects.size).toBe(5);
  expect(result.images.map(({ status, failures }) => [status, failures.length])).toEqual([
    ["failed", 1],
    ["failed", 1],
  ]);
});

test.each([
  ["stopped", unavailable("cancelled", "stopped")],
  ["another object in the way", unavailable("refused", "in the way", { status: 412 })],
  ["wrong bytes", unavailable("wrong-bytes", "wrong")],
])("%s says nothing of the bucket as a whole", async (_, answer) => {
  using world = new FillWorld(1);
  const [bucket] = world.buckets;
  if (bucket !== undefined) bucket.instead = (method) => (method === "put" ? answer : undefined);
  const { targets } = await world.fill(await world.plan());
  expect(targets[0]).toMatchObject({ failed: 5, isGivenUp: false });
  expect(bucket?.puts).toHaveLength(5);
});

test("a bucket of which nothing is known is tried; what is there already is no failure", async () => {
  using world = new FillWorld(1);
  const [bucket] = world.buckets;
  for (const { named, bytes } of world.blobs.slice(0, 3)) bucket?.objects.set(named.digest, bytes);
  if (bucket !== undefined) bucket.instead = (method) => (method === "head" ? unavailable("denied", "403") : undefined);
  expect(figures(await world.fill(await world.plan()))).toMatchObject({ targets: [["filled", 2, 3, 0, 700]] });
});

test("an object of another size is left, unless wrong bytes may be replaced", async () => {
  using world = new FillWorld(1);
  const { digest } = world.own.named;
  const [bucket] = world.buckets;
  bucket?.objects.set(digest, new Uint8Array(3));
  const { targets } = await world.fill(await world.plan());
  expect(targets[0]).toMatchObject({ status: "failed", put: 4, failed: 1, kinds: { "wrong-bytes": 1 } });
  expect(bucket?.objects.get(digest)?.byteLength).toBe(3);
  const replaced = await world.fill(await world.plan(), { mayReplace: true });
  expect(replaced.targets[0]).toMatchObject({ status: "filled", replaced: 1, there: 4 });
  expect(bucket?.objects.get(digest)).toEqual(world.own.bytes);
});

test("nothing is taken away before the right bytes are here", async () => {
  using world = new FillWorld(1);
  const { digest } = world.own.named;
  world.registry.drop("two", digest);
  world.buckets[0]?.objects.set(digest, new Uint8Array(3));
  await world.fill(await world.plan(), { mayReplace: true });
  expect(world.buckets[0]?.objects.get(digest)?.byteLength).toBe(3);
});

test("stopped, what is there stays, nothing is left over, and the same run goes on", async () => {
  const registry = new FakeRegistry("registry.test", {
    before: (request) => {
      if (request.startsWith("GET-BLOB") && registry.count("GET-BLOB") === 3) world.run.stop.abort();
      return undefined;
    },
  });
  using world = new FillWorld(1, registry);
  const result = await world.fill(await world.plan(), { blobsAtOnce: 1 });
  expect(result.targets[0]).toMatchObject({ put: 2, failed: 3, kinds: { cancelled: 3 } });
  expect(result.images.map(({ name }) => name).toSorted()).toEqual(["registry.test/one:v1", "registry.test/two:v1"]);
  expect(world.spooled()).toEqual([]);
  using next = new FillWorld(1);
  const [bucket] = next.buckets;
  for (const [key, bytes] of world.buckets[0]?.objects ?? []) bucket?.objects.set(key, bytes);
  expect((await next.fill(await next.plan())).targets[0]).toMatchObject({ status: "filled", put: 3, there: 2 });
});

test("a folder for blobs on their way that is gone fails them, one by one", async () => {
  using world = new FillWorld(1);
  const plan = await world.plan();
  const result = await world.fill(plan, { spoolFolder: `${world.spoolFolder}/gone` });
  expect(result.targets[0]).toMatchObject({ status: "failed", put: 0, kinds: { failed: 5 } });
  expect(result.targets[0]?.failures[0]?.message).toContain("writing the temporary file of");
});

test("a registry that is down fails its blobs and not the bucket", async () => {
  const registry = new FakeRegistry("registry.test", {
    before: (request) => (request.startsWith("GET-BLOB") ? down("failed", 500) : undefined),
  });
  using world = new FillWorld(1, registry);
  const { targets } = await world.fill(await world.plan());
  expect(targets[0]).toMatchObject({ failed: 5, isGivenUp: false, failures: [{ side: "source", kind: "failed" }] });
});
