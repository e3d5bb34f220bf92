import { expect, test } from "bun:test";
import type { Digest } from "../reference/digest.ts";
import type { Repository } from "../reference/repository.ts";
import { createManualClock, type ManualClock } from "../registry/testing/manual-clock.ts";
import { upstreamAt } from "../registry/testing/upstream.ts";
import { existenceLimits, ProbedExistence } from "./existence.ts";
import type { Located, Wanted } from "./route.ts";
import { createSteer, type Steer } from "./steer.ts";
import { bucketOf } from "./testing/holders.ts";
import { createScriptedProbe, type ScriptedProbe, settled } from "./testing/scripted-probe.ts";

const upstream = upstreamAt("https://registry.example", { cloud: "gcp" });
const digest = `sha256:${"0".repeat(64)}` as Digest;
const repository = "pause" as Repository;
const blob: Wanted = { upstream: upstream.host, repository, endpoint: { kind: "blob", name: "pause", digest } };
const manifest: Wanted = { ...blob, endpoint: { kind: "manifest-by-digest", name: "pause", digest } };
const near = `https://near.example/images/${digest}`;
const far = `https://far.example/images/${digest}`;
const upstreamBlob = `https://registry.example/v2/pause/blobs/${digest}`;
const upstreamManifest = `https://registry.example/v2/pause/manifests/${digest}`;
const signaturesManifest = `https://signatures.example/v2/pause/manifests/${digest}`;
const aws = { cloud: "aws", region: "us-east-1" } as const;
const client = "192.0.2.1";

interface World extends ScriptedProbe {
  readonly steer: Steer;
  readonly clock: ManualClock;
  readonly events: readonly string[];
}

function world(statuses: Readonly<Record<string, number>> = {}, signatures?: string): World {
  const scripted = createScriptedProbe(statuses);
  const clock = createManualClock();
  const events: string[] = [];
  const existence = new ProbedExistence({
    probe: scripted.probe,
    clock,
    random: () => 0,
    events: {
      probed: (holder, presence) => events.push(`${holder} ${presence}`),
      skipped: (holder, reason) => events.push(`${holder} ${reason}`),
      breaker: () => undefined,
    },
    limits: { ...existenceLimits, perClient: { perSecond: 20, burst: 4, maxClients: 10 } },
  });
  const buckets = [bucketOf("near", { cloud: "aws", regions: ["us-east-1"] }), bucketOf("far", { isDefault: true })];
  const redirect = { buckets, signatures, info: undefined, privacy: undefined, cloudRanges: undefined };
  const steer = createSteer({
    settings: { upstreams: new Map([[upstream.host, upstream]]), redirect },
    places: { lookup: (address) => (address === client ? aws : undefined) },
    existence,
    clock,
  });
  return { ...scripted, steer, clock, events };
}

async function sources(steer: Steer, wanted: Wanted, times = 1): Promise<readonly string[]> {
  const found: string[] = [];
  for (let i = 0; i < times; i++) found.push((await steer.locate(wanted, "", client)).source);
  return found;
}

test("what is known is answered at once, with the client's place", async () => {
  const { steer, clock } = world({ [near]: 404, [far]: 200 });
  const first = steer.locate(blob, "", client);
  expect(first).toBeInstanceOf(Promise);
  expect(await first).toEqual({ kind: "located", location: far, source: "far", place: aws, probed: true });
  expect(clock.pending()).toBe(0);
  expect(steer.locate(blob, "", client)).toEqual({
    kind: "located",
    location: far,
    source: "far",
    place: aws,
    probed: false,
  });
});

test("a tag is never waited for", () => {
  const { steer, asked } = world({}, "https://signatures.example");
  const tag = { kind: "manifest", name: "pause", tag: "3.9" } as unknown as Wanted["endpoint"];
  expect(steer.locate({ ...blob, endpoint: tag }, "", client)).toMatchObject({
    location: "https://registry.example/v2/pause/manifests/3.9",
    source: "upstream",
  });
  expect(asked).toEqual([]);
});

test("one box of 500 ms for all buckets; the late answer is kept for the next request", async () => {
  const { steer, clock, pending, asked, events } = world();
  const located = steer.locate(blob, "", client);
  clock.advance(300);
  await pending(near).answer(404);
  clock.advance(199);
  await settled();
  expect(await Promise.race([located, Promise.resolve("waiting")])).toBe("waiting");
  clock.advance(1);
  expect(await located).toMatchObject({ location: upstreamBlob, source: "upstream", probed: true });
  expect(asked).toEqual([near, far]);
  await pending(far).answer(200);
  expect(events).toEqual(["near absent", "far held"]);
  expect(steer.locate(blob, "", client)).toMatchObject({ location: far, probed: false });
  expect(clock.pending()).toBe(0);
});

test("when the box is over, what is known of the other buckets still counts", async () => {
  const { steer, clock, asked } = world({ [far]: 200 });
  const elsewhere = await steer.locate(blob, "", "198.51.100.1");
  expect(elsewhere).toMatchObject({ source: "far", place: undefined });
  const located = steer.locate(blob, "", client);
  clock.advance(500);
  expect(await located).toMatchObject({ source: "far", place: aws });
  expect(asked).toEqual([far, near]);
});

test("when the box is over, nothing more is asked", async () => {
  const { steer, clock, asked } = world();
  const located = steer.locate(blob, "", client);
  clock.advance(500);
  expect(await located).toMatchObject({ source: "upstream" });
  expect(asked).toEqual([near]);
});

test("many clients of a cold blob wait for one HEAD", async () => {
  const { steer, asked, pending } = world();
  const located = Array.from({ length: 50 }, () => steer.locate(blob, "", client));
  expect(asked).toEqual([near]);
  await pending(near).answer(200);
  expect(
    (await Promise.all(located.map(async (found) => await found))).every(({ location }) => location === near),
  ).toBeTrue();
});

test("beyond its limit a client is sent to the upstream at once", async () => {
  const { steer, asked } = world();
  const wanted = (n: number): Wanted => {
    const other = `sha256:${String(n).padStart(64, "0")}` as Digest;
    return { ...blob, endpoint: { kind: "blob", name: "pause", digest: other } };
  };
  const located = Array.from({ length: 10 }, (_, n) => steer.locate(wanted(n), "", client));
  expect(asked).toHaveLength(4);
  const atOnce = located.filter((found): found is Located => !(found instanceof Promise));
  expect(atOnce.map(({ source }) => source)).toEqual(Array.from({ length: 6 }, () => "upstream"));
});

test.each<[string, Readonly<Record<string, number>>, string]>([
  ["the upstream has it", { [upstreamManifest]: 200 }, "upstream"],
  ["the upstream keeps it elsewhere", { [upstreamManifest]: 307 }, "upstream"],
  ["the upstream wants a login", { [upstreamManifest]: 401 }, "upstream"],
  ["the upstream refuses", { [upstreamManifest]: 403 }, "upstream"],
  ["the upstream fails", { [upstreamManifest]: 503 }, "upstream"],
  ["only signatures has it", { [upstreamManifest]: 404, [signaturesManifest]: 200 }, "signatures"],
  ["signatures gives no word", { [upstreamManifest]: 404, [signaturesManifest]: 500 }, "signatures"],
  ["nobody has it", { [upstreamManifest]: 404, [signaturesManifest]: 404 }, "upstream"],
])("a manifest by digest with signatures: %s", async (_, statuses, expected) => {
  const { steer } = world(statuses, "https://signatures.example");
  expect(await sources(steer, manifest, 2)).toEqual([expected, expected]);
});

test("a registry that hangs delays no more than the box, and then nothing until it answers", async () => {
  const { steer, clock } = world({}, "https://signatures.example");
  const located = steer.locate(manifest, "", client);
  clock.advance(500);
  expect(await located).toMatchObject({ location: upstreamManifest, source: "upstream" });
  clock.advance(1500);
  await settled();
  expect(steer.locate(manifest, "", client)).toMatchObject({ source: "upstream", probed: false });
});

test("a blob that a bucket holds is not asked for at the registries", async () => {
  const { steer, asked } = world({ [near]: 200 }, "https://signatures.example");
  expect(await sources(steer, blob)).toEqual(["near"]);
  expect(asked).toEqual([near]);
});

test("a blob that no bucket holds is looked for like a manifest", async () => {
  const signaturesBlob = `https://signatures.example/v2/pause/blobs/${digest}`;
  const statuses = { [near]: 404, [far]: 403, [upstreamBlob]: 404, [signaturesBlob]: 302 };
  const { steer, asked } = world(statuses, "https://signatures.example");
  expect(await steer.locate(blob, "", client)).toMatchObject({ location: signaturesBlob, probed: true });
  expect(asked).toEqual([near, far, upstreamBlob, signaturesBlob]);
});
