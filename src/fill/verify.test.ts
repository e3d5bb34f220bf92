import { expect, test } from "bun:test";
import { unavailable } from "../registry/unavailable.ts";
import { FillWorld } from "./testing/world.ts";
import { verifyTargets } from "./verify.ts";

const all = { sample: { kind: "all" }, random: Math.random } as const;

/** A world whose one bucket is filled. */
async function filled(): Promise<FillWorld> {
  const world = new FillWorld(1);
  await world.fill(await world.plan());
  return world;
}

test("everything right, and nothing is written or read elsewhere", async () => {
  using world = await filled();
  const before = world.registry.count("GET-BLOB");
  const { rows } = await verifyTargets(world.run.parts.asking, await world.plan(), all);
  expect(rows).toEqual([
    {
      name: "s3://bucket-0",
      blobs: 5,
      missing: [],
      sampled: 5,
      right: 5,
      readBytes: 5738,
      wrong: [],
      unread: 0,
      failure: undefined,
    },
  ]);
  expect([world.registry.count("GET-BLOB"), world.buckets[0]?.puts.length]).toEqual([before, 5]);
});

test("other bytes, another size and what is missing are found, and the plan then repairs them", async () => {
  using world = await filled();
  const [bucket] = world.buckets;
  const [flipped, short, gone] = [world.shared, world.own, world.arm].map(({ named }) => named.digest);
  if (bucket === undefined || flipped === undefined || short === undefined || gone === undefined)
    throw new Error("none");
  bucket.objects.set(
    flipped,
    world.shared.bytes.map((byte) => byte ^ 1),
  );
  bucket.objects.set(short, world.own.bytes.slice(1));
  bucket.objects.delete(gone);
  const { rows, plan } = await verifyTargets(world.run.parts.asking, await world.plan(), all);
  expect(rows[0]).toMatchObject({ missing: [gone], sampled: 3, right: 2 });
  expect(new Set(rows[0]?.wrong)).toEqual(new Set([flipped, short]));
  const repaired = await world.fill(plan, { mayReplace: true });
  expect(repaired.targets[0]).toMatchObject({ status: "filled", put: 1, replaced: 2, there: 2 });
  const again = await verifyTargets(world.run.parts.asking, await world.plan(), all);
  expect(again.rows[0]).toMatchObject({ right: 5, wrong: [], missing: [] });
});

test("a sample is read, and no more", async () => {
  using world = await filled();
  const sample = { kind: "count", count: 2 } as const;
  const { rows } = await verifyTargets(world.run.parts.asking, await world.plan(), { sample, random: Math.random });
  expect([rows[0]?.sampled, rows[0]?.right, world.buckets[0]?.asked.gets]).toEqual([2, 2, 2]);
});

test("what cannot be read is neither right nor wrong", async () => {
  using world = await filled();
  const [bucket] = world.buckets;
  if (bucket !== undefined)
    bucket.instead = (method) => (method === "get" ? unavailable("failed", "broken") : undefined);
  const { rows, plan } = await verifyTargets(world.run.parts.asking, await world.plan(), all);
  expect(rows[0]).toMatchObject({ right: 0, wrong: [], missing: [], unread: 5, failure: { message: "broken" } });
  expect(new Set(plan.targets[0]?.states.values())).toEqual(new Set(["held"]));
});

test("what went away since it was looked for is missing", async () => {
  using world = await filled();
  const plan = await world.plan();
  world.buckets[0]?.objects.clear();
  const { rows } = await verifyTargets(world.run.parts.asking, plan, all);
  expect([rows[0]?.missing.length, rows[0]?.unread]).toEqual([5, 0]);
});
