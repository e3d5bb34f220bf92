import { afterEach, beforeEach, expect, test } from "bun:test";
import { readdirSync, rmSync, truncateSync } from "node:fs";
import type { Digest } from "../reference/digest.ts";
import type { RegistryHost } from "../reference/host.ts";
import type { Repository } from "../reference/repository.ts";
import { HostedBlobs } from "./blobs.ts";
import type { Body } from "./session.ts";
import type { EndedUpload } from "./uploads.ts";
import { bodyOf, createHostedWorld, digestOf, digestOfFile, type HostedWorld, pushTo } from "./testing/hosted-world.ts";

const repository = "team/app" as Repository;
const other = "team/web" as Repository;
const place = { upstream: "registry.test" as RegistryHost, repository: "b" as Repository };
const hourMs = 3_600_000;

let world: HostedWorld;
beforeEach(async () => {
  world = await createHostedWorld();
});
afterEach(() => world[Symbol.asyncDispose]());

async function push(text: string, at = repository): Promise<Digest> {
  const digest = digestOf(text);
  expect((await pushTo(world, at, digest, bodyOf([text]))).kind).toBe("kept");
  return digest;
}

/** Sends bytes to the other repository as what they may not be. */
async function send(text: string, digest: Digest, isCut = false): Promise<EndedUpload> {
  return pushTo(world, other, digest, bodyOf([text], isCut ? new Error("the client is gone") : undefined));
}

async function cache(text: string): Promise<Digest> {
  const digest = digestOf(text);
  const draft = await world.content.begin(digest);
  await draft.write([new TextEncoder().encode(text)], 0);
  await world.content.publish(draft, digest);
  await draft.close();
  await world.held.putBlob(place, { digest, sizeBytes: text.length, ruleId: "r", pulledAtMs: 1 });
  return digest;
}

test("a blob is found where it was pushed, and nowhere else, though its bytes are here", async () => {
  const digest = await push("abc");
  expect(await world.blobs.find(repository, digest)).toMatchObject({ digest, sizeBytes: 3 });
  expect(await world.blobs.find(other, digest)).toBeUndefined();
  expect(await digestOfFile(world.layout.blob(digest), digest)).toBe(digest);
});

test("a blob that is pushed again, here or elsewhere, is kept once", async () => {
  const digest = await push("abc");
  await push("abc");
  await push("abc", other);
  expect(await world.blobs.find(other, digest)).toBeDefined();
  expect(readdirSync(world.layout.uploads)).toEqual([]);
});

test("a blob that is held needs no room on the disk, and has to be sent all the same", async () => {
  const digest = await push("abc");
  world.faults.roomBytes = 0;
  const [wrong, empty, cut] = [await send("abd", digest), await send("", digest), await send("ab", digest, true)];
  expect([wrong.kind, empty.kind, cut.kind]).toEqual(["wrong-digest", "wrong-digest", "cut"]);
  expect(await world.blobs.find(other, digest)).toBeUndefined();
  expect((await send("abc", digest)).kind).toBe("kept");
  expect(await world.blobs.find(other, digest)).toBeDefined();
  expect(await digestOfFile(world.layout.blob(digest), digest)).toBe(digest);
  expect(readdirSync(world.layout.fills)).toEqual([]);
});

test("what was held when it began to come is kept, though it was taken away since", async () => {
  const digest = await push("abc");
  const body = async function* (): Body {
    yield* bodyOf(["ab"]);
    await world.content.remove(digest);
    yield* bodyOf(["c"]);
  };
  expect(await pushTo(world, other, digest, body())).toEqual({ kind: "kept", sizeBytes: 3 });
  expect(await digestOfFile(world.layout.blob(digest), digest)).toBe(digest);
  expect([...readdirSync(world.layout.fills), ...readdirSync(world.layout.uploads)]).toEqual([]);
});

test("blobs of one digest that are pushed at the same time are each kept", async () => {
  const pushed = await Promise.all([repository, other, repository, other].map((at) => push("abc", at)));
  for (const at of [repository, other]) expect(await world.blobs.find(at, pushed[0] ?? digestOf(""))).toBeDefined();
});

test.each<[string, (path: string) => void]>([
  ["is gone", (path) => rmSync(path)],
  ["has lost bytes", (path) => truncateSync(path, 1)],
])("a blob whose file %s is not there, and can be pushed again", async (_, damage) => {
  const digest = await push("abc");
  damage(world.layout.blob(digest));
  expect(await world.blobs.find(repository, digest)).toBeUndefined();
  expect(await world.blobs.mount(other, digest, repository)).toBe(false);
  await push("abc");
  expect(await world.blobs.find(repository, digest)).toBeDefined();
  expect(await digestOfFile(world.layout.blob(digest), digest)).toBe(digest);
});

test("whoever finds a blob may rely on it: the promise is renewed when it is an hour old", async () => {
  const digest = await push("abc");
  const leasedAtMs = async (): Promise<number | undefined> => (await world.index.blob(repository, digest))?.leasedAtMs;
  const pushedAtMs = world.nowMs;
  world.nowMs += hourMs - 1;
  await world.blobs.find(repository, digest);
  expect(await leasedAtMs()).toBe(pushedAtMs);
  world.nowMs += 1;
  await world.blobs.find(repository, digest);
  expect(await leasedAtMs()).toBe(world.nowMs);
});

test("a blob that goes while it is looked for is not there", async () => {
  const digest = await push("abc");
  world.nowMs += 2 * hourMs;
  const index = { ...world.index, blob: world.index.blob.bind(world.index), lease: async () => false };
  const { held, content } = world;
  const blobs = new HostedBlobs({ index, held, content, nowMs: () => world.nowMs });
  expect(await blobs.find(repository, digest)).toBeUndefined();
});

test("a blob is mounted from where it is, and from nowhere else", async () => {
  const digest = await push("abc");
  const third = "third" as Repository;
  expect(await world.blobs.mount(other, digest, third)).toBe(false);
  expect(await world.blobs.find(other, digest)).toBeUndefined();
  expect(await world.blobs.mount(other, digest, repository)).toBe(true);
  expect(await world.blobs.remove(repository, digest)).toBe(true);
  expect(await world.blobs.mount(third, digest, repository)).toBe(false);
  expect(await world.blobs.mount(third, digest, other)).toBe(true);
});

test("what the cache holds is no blob of ours before it is pushed, and then has one file", async () => {
  const digest = await cache("abc");
  expect(await world.blobs.find(repository, digest)).toBeUndefined();
  expect(await world.blobs.mount(other, digest, repository)).toBe(false);
  await push("abc");
  expect(await world.blobs.find(repository, digest)).toBeDefined();
  expect(await world.held.blobAt(place, digest)).toMatchObject({ ruleId: "r" });
  await world.blobs.remove(repository, digest);
  expect(await world.held.blobAt(place, digest)).toBeDefined();
  expect(await digestOfFile(world.layout.blob(digest), digest)).toBe(digest);
});
