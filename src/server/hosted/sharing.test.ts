import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { collectHosted } from "../../hosted/collect.ts";
import { blobReplies, digestOf } from "../../registry/testing/content.ts";
import { errorCode, imageOf, pushBlob, pushImage } from "../testing/pushing.ts";
import { uniqueBlob, type UniqueBlob } from "../testing/unique-blob.ts";
import { createWorld, settled, type World } from "../testing/world.ts";

// A cache and repositories of our own in one storage folder: content is kept once, and each has it for itself.

function both(): Promise<World> {
  const rules = [
    { match: { prefix: "team" }, serve: "store" },
    { match: "*", serve: "cache", maxSize: "3MB" },
  ];
  return createWorld({ config: { listen: "127.0.0.1:5000", rules } });
}

function offer(world: World): UniqueBlob {
  const blob = uniqueBlob(1_000_000);
  world.upstream.on("GET", `/v2/${blob.path}`, blobReplies(blob.blob));
  return blob;
}

async function pull(world: World, path: string): Promise<string> {
  const reply = await world.ask(`/v2/${path}`);
  const body = await reply.bytes();
  await settled(world.blobs);
  return reply.status === 200 ? digestOf(body) : String(reply.status);
}

async function collect({ storage, clock }: World): Promise<void> {
  const { hosted: index, content } = storage;
  const uploads = { sweep: async () => 0 };
  clock.advance(1);
  await collectHosted(
    { index, content, uploads, nowMs: () => clock.epochMs() },
    { leaseMs: 0, uploadMs: 0 },
    new AbortController().signal,
  );
}

test("a cached blob is no blob of a repository of ours until it is pushed; then it has one file, and no other download", async () => {
  await using world = await both();
  const { blob, digest, path } = offer(world);
  expect(await pull(world, `registry.test/${path}`)).toBe(digest);
  expect((await world.ask(`/v2/team/app/blobs/${digest}`)).status).toBe(404);
  const mount = await world.ask(`/v2/team/app/blobs/uploads/?mount=${digest}&from=registry.test/b`, { method: "POST" });
  expect(mount.status).toBe(202);
  await pushBlob(world, "team/app", blob);
  expect(await pull(world, `team/app/blobs/${digest}`)).toBe(digest);
  expect(await pull(world, `registry.test/${path}`)).toBe(digest);
  expect(world.upstream.count("GET", `/v2/${path}`)).toBe(1);
});

test("a pushed blob is none of the cache's until its upstream has it, and then is not downloaded", async () => {
  await using world = await both();
  const { blob, digest, path } = uniqueBlob(1_000_000);
  await pushBlob(world, "team/app", blob);
  world.upstream.on("GET", `/v2/${path}`, { status: 404 });
  expect(await pull(world, `registry.test/${path}`)).toBe("404");
  world.clock.advance(120_000);
  world.upstream.on("GET", `/v2/${path}`, blobReplies(blob));
  const before = world.upstream.requests.length;
  expect(await pull(world, `registry.test/${path}`)).toBe(digest);
  expect(world.upstream.requests.slice(before).map(({ method }) => method)).toEqual(["HEAD"]);
});

test("what is deleted here stays in the cache, and its file with it", async () => {
  await using world = await both();
  const { blob, digest, path } = offer(world);
  await pull(world, `registry.test/${path}`);
  await pushBlob(world, "team/app", blob);
  expect((await world.ask(`/v2/team/app/blobs/${digest}`, { method: "DELETE" })).status).toBe(202);
  await collect(world);
  expect((await world.ask(`/v2/team/app/blobs/${digest}`)).status).toBe(404);
  expect(await pull(world, `registry.test/${path}`)).toBe(digest);
  expect(world.upstream.count("GET", `/v2/${path}`)).toBe(1);
});

test("what the quota evicts stays here", async () => {
  await using world = await both();
  const kept = offer(world);
  await pull(world, `registry.test/${kept.path}`);
  await pushBlob(world, "team/app", kept.blob);
  for (let i = 0; i < 4; i++) {
    await world.quota.flushPulls();
    world.clock.advance(700_000);
    await pull(world, `registry.test/${offer(world).path}`);
  }
  await world.quota.makeRoomOnDisk(100_000_000);
  expect(existsSync(world.storage.layout.blob(kept.digest))).toBe(true);
  expect(await pull(world, `team/app/blobs/${kept.digest}`)).toBe(kept.digest);
});

test("what nothing names goes with its file; what a manifest names stays", async () => {
  await using world = await both();
  const loose = await pushBlob(world, "team/app", "loose");
  await pushImage(world, "team/app", "1");
  await collect(world);
  expect(existsSync(world.storage.layout.blob(loose))).toBe(false);
  expect(await errorCode(await world.ask(`/v2/team/app/blobs/${loose}`))).toBe("BLOB_UNKNOWN");
  expect(await pull(world, `team/app/blobs/${digestOf("layer")}`)).toBe(digestOf("layer"));
  expect(await pull(world, "team/app/manifests/1")).toBe(digestOf(imageOf(["layer"])));
});

test("nothing is pushed to what is a cache", async () => {
  await using world = await both();
  const reply = await world.ask("/v2/registry.test/b/blobs/uploads/", { method: "POST" });
  expect([reply.status, await errorCode(reply)]).toEqual([405, "UNSUPPORTED"]);
});
