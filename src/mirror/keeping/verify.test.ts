import { afterEach, beforeEach, expect, test } from "bun:test";
import { rmSync, truncateSync, writeFileSync } from "node:fs";
import { digestOf } from "../testing/fake-registry.ts";
import { ReadingPace } from "./reading-pace.ts";
import { type Described, Images } from "./testing/images.ts";
import { createWorld, placeOf, type Ran, ruleOf, run, type World } from "./testing/world.ts";
import { type Finding, verify, type VerifyOptions, type VerifyTotals } from "./verify.ts";
import { warm } from "./warm.ts";

const never = new AbortController().signal;
let world: World;
let images: Images;
let layers: readonly Described[];

beforeEach(async () => {
  world = await createWorld();
  images = new Images(world.registry, "a/b");
  layers = ["one", "two", "three"].map((text) => images.blob(text));
  images.manifest(layers, "v1");
  await run(warm(world.keeping, ["quay.io/a/b:v1"], { platforms: [], referrers: false }, never));
});
afterEach(() => world[Symbol.asyncDispose]());

function verified(options: Partial<VerifyOptions> = {}): Promise<Ran<Finding, VerifyTotals>> {
  return run(verify(world.keeping, { repair: false, bytesPerSecond: 1e9, ...options }, never));
}

function pathOf(n: number): string {
  const { digest } = layers[n] ?? { digest: undefined };
  if (digest === undefined) throw new Error(`there is no layer ${n}`);
  return world.layout.blob(digest);
}

test("what is as it was is clean", async () => {
  const { summary, rows } = await verified();
  expect(summary).toMatchObject({ outcome: "clean", blobs: 4, manifests: 1, findings: 0 });
  expect(rows).toEqual([]);
});

const harms: readonly [Finding["problem"], (path: string) => void][] = [
  ["wrong-bytes", (path) => writeFileSync(path, "onE")],
  ["wrong-size", (path) => truncateSync(path, 1)],
  ["missing", (path) => rmSync(path)],
];

for (const [problem, harm] of harms) {
  test(`${problem} is found, left alone, and with repair removed so that it is fetched again`, async () => {
    harm(pathOf(0));
    const { digest } = layers[0] ?? { digest: digestOf(new Uint8Array()) };
    const found = { digest, what: "blob", problem, places: ["quay.io/a/b"] };
    const first = await verified();
    expect(first.rows).toMatchObject([{ ...found, isRemoved: false }]);
    expect(first.outcome).toBe("findings");
    const repaired = await verified({ repair: true });
    expect(repaired.rows).toMatchObject([{ ...found, isRemoved: true }]);
    expect(repaired.summary).toMatchObject({ outcome: "findings", findings: 1, removed: 1 });
    expect(await world.keeping.index.blob(digest)).toBeUndefined();
    expect((await verified()).outcome).toBe("clean");
    const again = await world.keeping.blobs.open({ place: placeOf("a/b"), rule: ruleOf({}) }, digest);
    expect(again.kind).toBe("filling");
    if (again.kind === "filling") expect(await again.fill.ended).toEqual({ kind: "kept" });
    expect((await verified()).outcome).toBe("clean");
  });
}

test("what cannot be read is said, not removed, and leaves the answer incomplete", async () => {
  const { index, content } = world.keeping;
  const { digest, size } = layers[0] ?? { digest: digestOf(new Uint8Array()), size: 0 };
  // A path that is there by its row and cannot be read: a folder stands for a disk that fails.
  const failing = {
    ...world.keeping,
    content: {
      ...content,
      stat: async () => size,
      held: () => ({ kind: "file", path: world.layout.root }),
    } as unknown as typeof content,
  };
  for (const row of await index.blobsAfter("", 99)) if (row.digest !== digest) await index.removeBlob(row.digest);
  const { rows, outcome } = await run(verify(failing, { repair: true, bytesPerSecond: 1e9 }, never));
  expect(rows).toMatchObject([{ digest, problem: "unreadable", isRemoved: false }]);
  expect(outcome).toBe("incomplete");
  expect(await index.blob(digest)).toBeDefined();
});

test("a manifest whose bytes are not its digest's is removed with its tags", async () => {
  const digest = digestOf(new Uint8Array([1]));
  const { index } = world.keeping;
  await index.putManifest(placeOf("a/b"), { digest, mediaType: "x/y", bytes: new Uint8Array([2]) });
  expect((await verified()).rows).toMatchObject([{ digest, what: "manifest", problem: "wrong-bytes" }]);
  await verified({ repair: true });
  expect(await index.manifest(digest)).toBeUndefined();
  expect((await index.counts()).manifests).toBe(1);
});

test("what is evicted while it is read is no finding", async () => {
  rmSync(pathOf(0));
  const { index } = world.keeping;
  const { digest } = layers[0] ?? { digest: digestOf(new Uint8Array()) };
  const racing = {
    ...world.keeping,
    content: {
      ...world.keeping.content,
      stat: async () => undefined,
      held: () => undefined,
    } as unknown as typeof world.keeping.content,
    index: Object.assign(Object.create(index) as typeof index, {
      blobsAfter: (...args: Parameters<typeof index.blobsAfter>) => index.blobsAfter(...args),
      blob: async () => undefined,
      counts: () => index.counts(),
      manifestsAfter: (...args: Parameters<typeof index.manifestsAfter>) => index.manifestsAfter(...args),
    }),
  };
  expect((await run(verify(racing, { repair: true, bytesPerSecond: 1e9 }, never))).rows).toEqual([]);
  expect(await index.blob(digest)).toBeDefined();
});

test("stopping ends it without a summary", async () => {
  const stop = new AbortController();
  stop.abort();
  const { rows, summary } = await run(verify(world.keeping, { repair: true, bytesPerSecond: 1e9 }, stop.signal));
  expect([rows, summary]).toEqual([[], undefined]);
});

test("reading waits as long as its pace asks for, and not for every little piece", async () => {
  let nowMs = 0;
  const waits: number[] = [];
  const pause = async (ms: number): Promise<void> => {
    waits.push(ms);
    nowMs += ms;
  };
  const pace = new ReadingPace(1_000_000, { nowMs: () => nowMs, pause }, never);
  for (let i = 0; i < 100; i++) await pace.read(10_000);
  expect(nowMs).toBeGreaterThan(950);
  expect(nowMs).toBeLessThanOrEqual(1000);
  expect(waits.length).toBeLessThan(50);
  nowMs += 5000;
  await pace.read(10_000);
  expect(nowMs).toBeLessThanOrEqual(6000);
});
