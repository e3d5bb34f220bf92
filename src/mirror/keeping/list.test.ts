import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Tag } from "../../reference/repository.ts";
import { digestOf } from "../testing/fake-registry.ts";
import { list } from "./list.ts";
import { createWorld, placeOf, run, type World } from "./testing/world.ts";

let world: World;
const never = new AbortController().signal;
const digest = digestOf(new Uint8Array([1]));

beforeAll(async () => {
  world = await createWorld();
  const { index, nowMs } = world.keeping;
  const put = (repository: string, tag: string, upstream?: string): Promise<void> =>
    index.putTag(placeOf(repository, upstream), {
      tag: tag as Tag,
      digest,
      mediaType: undefined,
      sizeBytes: 7,
      checkedAtMs: nowMs() - 5000,
    });
  const many = Array.from({ length: 450 }, (_, n) => put("many", `t${String(n).padStart(3, "0")}`));
  await Promise.all([
    ...many,
    put("team/app", "v1"),
    put("team/app", "v2"),
    put("team/app", "v10"),
    put("team/apps", "v1"),
    put("team/app", "v1", "registry.k8s.io"),
  ]);
  await index.putManifest(placeOf("team/app"), { digest, mediaType: "x/y", bytes: new Uint8Array([1]) });
  await index.putBlob(placeOf("team/app"), { digest, sizeBytes: 30, ruleId: "all", pulledAtMs: 1 });
});
afterAll(() => world[Symbol.asyncDispose]());

test.each([
  ["", 455, "quay.io/many:t000"],
  ["quay.io", 454, "quay.io/many:t000"],
  ["quay.io/", 454, "quay.io/many:t000"],
  ["quay", 454, "quay.io/many:t000"],
  ["registry", 1, "registry.k8s.io/team/app:v1"],
  ["quay.io/many", 450, "quay.io/many:t000"],
  ["quay.io/many:t4", 50, "quay.io/many:t400"],
  ["quay.io/team/", 4, "quay.io/team/app:v1"],
  ["quay.io/team/app", 4, "quay.io/team/app:v1"],
  ["quay.io/team/app:", 3, "quay.io/team/app:v1"],
  ["quay.io/team/app:v1", 2, "quay.io/team/app:v1"],
  ["quay.io/team/app:v2", 1, "quay.io/team/app:v2"],
  ["quay.io/none", 0, undefined],
  ["zzz", 0, undefined],
])("the prefix %p lists %p tags", async (prefix, count, first) => {
  const { rows, summary } = await run(list(world.keeping, prefix, never));
  expect(rows.length).toBe(count);
  expect(rows[0]?.name).toBe(first as string);
  expect(new Set(rows.map(({ name }) => name)).size).toBe(count);
  expect(summary).toMatchObject({ tags: count, heldTags: 455, heldBlobs: 1, heldManifests: 1, heldBytes: 30 });
});

test("a line says what the tag is, how old that is, and whether its manifest is here", async () => {
  const { rows } = await run(list(world.keeping, "quay.io/team/app:v10", never));
  expect(rows).toMatchObject([
    { upstream: "quay.io", repository: "team/app", tag: "v10", digest, manifestBytes: 7, ageMs: 5000, held: true },
  ]);
});
