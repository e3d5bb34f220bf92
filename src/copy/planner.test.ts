import { expect, test } from "bun:test";
import { parsePlatform } from "../reference/platform.ts";
import type { CopyPair } from "./pair.ts";
import type { Plan } from "./plan.ts";
import { planCopies, type Planning } from "./planner.ts";
import { down, FakeRegistry } from "./testing/fake-registry.ts";
import { blob, forPlatform, index, manifest } from "./testing/images.ts";
import { pairOf, testRun, wholeOptions } from "./testing/world.ts";

const config = blob("{}");
const layer = blob("layer", 5000);
const image = (n: number) => manifest({ config: config.named, layers: [layer.named], annotations: { n: `${n}` } });
const platforms = [forPlatform(image(1), "linux/amd64"), forPlatform(image(2), "linux/arm64")];
const multi = index([...platforms, { ...image(3).named, platform: { os: "unknown", architecture: "unknown" } }]);

function plan(pairs: readonly CopyPair[], planning: Partial<Planning> = {}): Promise<Plan> {
  return planCopies(testRun().parts, pairs, { options: wholeOptions, estimate: "none", ...planning });
}

function ends(): { readonly from: FakeRegistry; readonly to: FakeRegistry } {
  const before = (request: string): ReturnType<typeof down> | undefined =>
    request.endsWith(" broken") ? down("failed", 500) : undefined;
  const from = new FakeRegistry("from.example", { before });
  const to = new FakeRegistry("to.example", {
    before: (request) => (/ [bs]ecret$/.test(request) ? down("denied") : undefined),
  });
  const held = [config, layer, image(1), image(2), image(3)];
  from.hold("a", held, { v1: image(1), v2: image(2), multi, secret: image(1) });
  to.hold("b", held, { v1: image(1), v2: image(1) });
  return { from, to };
}

test("each image has a state, in the order that was asked for, at one HEAD at each end", async () => {
  const { from, to } = ends();
  const tags = ["v1", "v2", "multi", "nowhere", "broken", "secret"];
  const { rows, counts } = await plan(tags.map((tag) => pairOf(from.end("a"), to.end("b"), tag)));
  expect(rows.map(({ state, source, failure }) => [source, state, failure?.side, failure?.kind])).toEqual([
    ["from.example/a:v1", "present", undefined, undefined],
    ["from.example/a:v2", "differs", undefined, undefined],
    ["from.example/a:multi", "copy", undefined, undefined],
    ["from.example/a:nowhere", "absent", undefined, undefined],
    ["from.example/a:broken", "unknown", "source", "failed"],
    ["from.example/a:secret", "unknown", "target", "denied"],
  ]);
  expect(rows[1]).toMatchObject({ targetDigest: image(1).body.digest, choice: { named: image(2).body.digest } });
  expect(counts).toEqual({ absent: 1, copy: 1, differs: 1, present: 1, refused: 0, unknown: 2 });
  expect([from.requests.length, to.requests.length]).toEqual([6, 6]);
  expect([...from.requests, ...to.requests].every((request) => request.startsWith("HEAD "))).toBe(true);
});

test("where the copy follows, what the target lacks is read at once, and the rest is not", async () => {
  const { from, to } = ends();
  const tags = ["v1", "v2", "multi", "nowhere"];
  const pairs = tags.map((tag) => pairOf(from.end("a"), to.end("b"), tag));
  const { rows } = await plan(pairs, { isForCopy: true });
  expect(rows.map(({ state }) => state)).toEqual(["present", "differs", "copy", "absent"]);
  expect(from.requests.toSorted()).toEqual(["GET a multi", "GET a nowhere", "HEAD a v1", "HEAD a v2"]);
  expect(to.requests.length).toBe(4);
});

test("estimates are of what would be copied, each blob of an image once", async () => {
  const { from, to } = ends();
  const pairs = ["v1", "multi"].map((tag) => pairOf(from.end("a"), to.end("c"), tag));
  const { rows, estimate } = await plan(pairs, { estimate: "copies" });
  expect(rows.map((row) => row.estimate)).toEqual([
    { manifests: 1, blobs: 2, sizeBytes: 5002, requests: 12 },
    { manifests: 4, blobs: 2, sizeBytes: 5002, requests: 24 },
  ]);
  expect(estimate).toEqual({ manifests: 5, blobs: 4, sizeBytes: 10_004, requests: 36 });
  expect(from.count("GET ")).toBe(4);
});

test("a part of an image is compared with what its tag would stand for", async () => {
  const { from, to } = ends();
  const options = { ...wholeOptions, platforms: [parsePlatform("linux/amd64")!] };
  const { rows } = await plan([pairOf(from.end("a"), to.end("b"), "multi", "v1")], { options });
  expect(rows).toMatchObject([{ state: "present", notes: [expect.stringContaining("only linux/amd64")] }]);
});

test("two images for one name are refused, the same image twice is not", async () => {
  const { from, to } = ends();
  const clash = await plan([
    pairOf(from.end("a"), to.end("c"), "v1", "x"),
    pairOf(from.end("a"), to.end("c"), "v2", "x"),
    pairOf(from.end("a"), to.end("c"), "v2", "y"),
  ]);
  expect(clash.rows.map(({ state, failure }) => [state, failure?.kind])).toEqual([
    ["refused", "conflict"],
    ["refused", "conflict"],
    ["copy", undefined],
  ]);
  const twice = [pairOf(from.end("a"), to.end("c"), "v1", "x"), pairOf(from.end("a"), to.end("c"), "secret", "x")];
  expect((await plan(twice)).counts).toMatchObject({ copy: 2, refused: 0 });
});

test("what an end throws makes its row unknown", async () => {
  const { from, to } = ends();
  const broken = { ...from.end("a"), headManifest: () => Promise.reject(new Error("I/O error")) };
  expect((await plan([pairOf(broken, to.end("b"), "v1")])).rows).toMatchObject([
    { state: "unknown", failure: { kind: "storage", message: expect.stringContaining("I/O error") } },
  ]);
});

test("a registry that says no digest in a HEAD is asked for the manifest", async () => {
  const { from, to } = ends();
  const end = from.end("a");
  const silent: typeof end = {
    ...end,
    headManifest: async () => ({ kind: "found", digest: undefined, mediaType: undefined, sizeBytes: undefined }),
  };
  expect((await plan([pairOf(silent, to.end("b"), "v1")])).counts.present).toBe(1);
});
