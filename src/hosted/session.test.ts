import { afterAll, beforeAll, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { DigestAlgorithm } from "../reference/digest.ts";
import { type FindHeld, UploadSession } from "./session.ts";
import { bodyOf, createHostedWorld, digestOf, errorOf, type HostedWorld } from "./testing/hosted-world.ts";

let world: HostedWorld;
beforeAll(async () => {
  world = await createHostedWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

let ids = 0;
const noRoom = async (): Promise<boolean> => false;

async function begin(): Promise<{ readonly id: string; readonly session: UploadSession }> {
  const id = `session-${ids++}`;
  return { id, session: new UploadSession({ draft: await world.store.begin(id), sizeBytes: 0 }, noRoom) };
}

async function reopen(id: string): Promise<UploadSession> {
  const found = await world.store.reopen(id);
  if (found === undefined) throw new Error(`${id} is not there`);
  return new UploadSession(found, noRoom);
}

test.each<[string, DigestAlgorithm, boolean]>([
  ["sha256", "sha256", false],
  ["sha512, said at the end", "sha512", false],
  ["sha512, said before the first byte", "sha512", true],
])("what several bodies brought has its digest: %s", async (_, algorithm, isSaidFirst) => {
  const { session } = await begin();
  const parts = [3, 700_000, 1, 2_500_000].map((sizeBytes) => new Uint8Array(randomBytes(sizeBytes)));
  if (isSaidFirst) session.expect(algorithm);
  for (const part of parts) await session.append(bodyOf([part.subarray(0, 2), part.subarray(2)]));
  const whole = Buffer.concat(parts);
  expect(session.sizeBytes).toBe(whole.byteLength);
  expect(await session.digest(digestOf("", algorithm))).toBe(digestOf(whole, algorithm));
  // Asked again, and of the other algorithm, it says so again.
  expect(await session.digest(digestOf(""))).toBe(digestOf(whole));
  expect(await session.digest(digestOf("", algorithm))).toBe(digestOf(whole, algorithm));
  expect(digestOf(await session.draft.read(0, whole.byteLength))).toBe(digestOf(whole));
  await session.draft.close();
});

test("an empty upload has the digest of nothing", async () => {
  const { session } = await begin();
  await session.append(bodyOf([]));
  expect([session.sizeBytes, await session.digest(digestOf(""))]).toEqual([0, digestOf("")]);
  await session.draft.close();
});

test("what an earlier process wrote is hashed again, and gone on with", async () => {
  const { id, session } = await begin();
  const [first, second] = [new Uint8Array(randomBytes(3_000_001)), new Uint8Array(randomBytes(10))];
  await session.append(bodyOf([first]));
  await session.draft.close();
  const again = await reopen(id);
  expect(again.sizeBytes).toBe(first.byteLength);
  await again.append(bodyOf([second]));
  expect(await again.digest(digestOf(""))).toBe(digestOf(Buffer.concat([first, second])));
  await again.draft.close();
});

test("of a body that breaks off stays what came, and another goes on there", async () => {
  const { session } = await begin();
  const gone = new Error("the client is gone");
  expect(await session.append(bodyOf(["abc", "def"], gone))).toBe(false);
  expect([session.sizeBytes, session.isBroken]).toEqual([6, false]);
  expect(await session.append(bodyOf(["ghi"]))).toBe(true);
  expect(await session.digest(digestOf(""))).toBe(digestOf("abcdefghi"));
  await session.draft.close();
});

/** A draft of content that is held, and how often it was asked for until it was there. */
async function heldDraft(bytes: Uint8Array<ArrayBuffer>, foundAt = 1): Promise<{ find: FindHeld; asked: number }> {
  const draft = await world.content.begin(digestOf(bytes));
  await draft.write([bytes], 0);
  const held = { asked: 0, find: async () => (++held.asked >= foundAt ? draft : undefined) };
  return held;
}

test("a body whose content is held is hashed and not written", async () => {
  const { id, session } = await begin();
  const bytes = new Uint8Array(randomBytes(3_000_000));
  const held = await heldDraft(bytes);
  world.faults.roomBytes = 0;
  expect(await session.append(bodyOf([bytes.subarray(0, 10), bytes.subarray(10)]), held.find)).toBe(true);
  delete world.faults.roomBytes;
  expect([session.sizeBytes, held.asked, await session.digest(digestOf(""))]).toEqual([3_000_000, 1, digestOf(bytes)]);
  expect(digestOf(await session.draft.read(0, bytes.byteLength))).toBe(digestOf(bytes));
  // The file that was begun is given up.
  expect(existsSync(join(world.layout.uploads, id))).toBe(false);
  await session.draft.discard();
  await session.draft.close();
});

test("a body whose content is held before it ends is written up to there", async () => {
  const { session } = await begin();
  const pieces = Array.from({ length: 12 }, () => new Uint8Array(randomBytes(1_048_576)));
  const held = await heldDraft(Buffer.concat(pieces), 3);
  world.faults.roomBytes = 8 * 1_048_576;
  expect(await session.append(bodyOf(pieces), held.find)).toBe(true);
  delete world.faults.roomBytes;
  expect([session.sizeBytes, held.asked]).toEqual([12 * 1_048_576, 3]);
  expect(await session.digest(digestOf(""))).toBe(digestOf(Buffer.concat(pieces)));
  await session.draft.discard();
  await session.draft.close();
});

test("a body that breaks off leaves what was written of it, however much was hashed", async () => {
  const { session } = await begin();
  await session.append(bodyOf(["abc"]));
  const held = await heldDraft(new TextEncoder().encode("abcdefghi"));
  expect(await session.append(bodyOf(["def"], new Error("the client is gone")), held.find)).toBe(false);
  expect(session.sizeBytes).toBe(3);
  expect(readdirSync(world.layout.fills)).toEqual([]);
  await session.append(bodyOf(["xyz"]));
  expect(await session.digest(digestOf(""))).toBe(digestOf("abcxyz"));
  await session.draft.close();
});

test("what an earlier process wrote is gone on with in its file, and so is what cannot be asked for", async () => {
  const { id, session } = await begin();
  await session.append(bodyOf(["abc"]));
  await session.draft.close();
  const again = await reopen(id);
  const held = await heldDraft(new TextEncoder().encode("abcdef"));
  await again.append(bodyOf(["def"]), held.find);
  expect([held.asked, again.sizeBytes]).toEqual([0, 6]);
  expect(await again.digest(digestOf(""))).toBe(digestOf("abcdef"));
  await again.append(bodyOf(["ghi"]), () => Promise.reject(new Error("the index is gone")));
  expect(await again.digest(digestOf(""))).toBe(digestOf("abcdefghi"));
  await again.draft.close();
});

test("a disk that refuses bytes breaks the session, and the body is read no further", async () => {
  const { session } = await begin();
  await session.append(bodyOf(["abc"]));
  world.faults.roomBytes = 5;
  let pulled = 0;
  const body = async function* (): AsyncGenerator<Uint8Array<ArrayBuffer>, void, void> {
    for (; pulled < 100; pulled++) yield new Uint8Array(1024 * 1024);
  };
  expect(await errorOf(session.append(body()))).toContain("ENOSPC");
  expect([session.isBroken, session.sizeBytes]).toEqual([true, 3]);
  expect(pulled).toBeLessThan(20);
  delete world.faults.roomBytes;
  await session.draft.close();
});

test("a body waits for the disk when it is far ahead of it", async () => {
  const gate = Promise.withResolvers<void>();
  const writeNow = (): never => {
    throw new Error("the disk is busy");
  };
  const draft = { ...(await begin()).session.draft, writeNow, write: () => gate.promise, close: async () => undefined };
  const session = new UploadSession({ draft, sizeBytes: 0 }, noRoom);
  let pulled = 0;
  const body = async function* (): AsyncGenerator<Uint8Array<ArrayBuffer>, void, void> {
    for (; pulled < 64; pulled++) yield new Uint8Array(1024 * 1024);
  };
  const appending = session.append(body());
  for (let turn = 0; turn < 1000; turn++) await Promise.resolve();
  expect(pulled).toBeLessThan(6);
  gate.resolve();
  await appending;
  expect([pulled, session.sizeBytes]).toEqual([64, 64 * 1024 * 1024]);
});

test("room that is made on a full disk is written to, and nothing is lost", async () => {
  let made = 0;
  const makeRoom = async (): Promise<boolean> => {
    delete world.faults.roomBytes;
    return ++made === 1;
  };
  const session = new UploadSession({ draft: await world.store.begin(`session-${ids++}`), sizeBytes: 0 }, makeRoom);
  world.faults.roomBytes = 4;
  await session.append(bodyOf(["abc", "def"]));
  expect([made, session.sizeBytes, session.isBroken]).toEqual([1, 6, false]);
  expect(new TextDecoder().decode(await session.draft.read(0, 9))).toBe("abcdef");
  expect(await session.digest(digestOf(""))).toBe(digestOf("abcdef"));
  await session.draft.close();
});
