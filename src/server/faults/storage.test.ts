import { expect, test } from "bun:test";
import { existsSync, readdirSync, truncateSync, unlinkSync, writeFileSync } from "node:fs";
import { sweepContent } from "../../mirror/housekeeping.ts";
import { blobReplies, digestOf } from "../../registry/testing/content.ts";
import { createLatch } from "../../registry/testing/scripted-reply.ts";
import { type DiskFaults, faultyContent } from "../../store/testing/faulty-content.ts";
import { listen } from "../testing/listen.ts";
import { RawConnection, requestText } from "../testing/raw-connection.ts";
import { type UniqueBlob, uniqueBlob } from "../testing/unique-blob.ts";
import { createWorld, settled, until, type World } from "../testing/world.ts";

// Faults F13, F14, F17 and F18: a disk that is full, fails, or has lost what the index says.

async function faultyWorld(faults: DiskFaults, rule: Record<string, unknown> = {}): Promise<World> {
  const rules = [{ match: "*", serve: "cache", ...rule }];
  return createWorld({ content: faultyContent(faults), config: { rules } });
}

function offer(world: World, sizeBytes = 1_500_000): UniqueBlob {
  const blob = uniqueBlob(sizeBytes);
  world.upstream.on("GET", `/v2/${blob.path}`, blobReplies(blob.blob));
  return blob;
}

async function pulled(world: World, { path }: UniqueBlob): Promise<string> {
  const reply = await world.ask(`/v2/registry.test/${path}`);
  return `${reply.status} ${digestOf(await reply.bytes())}`;
}

function gets(world: World, { path }: UniqueBlob): number {
  return world.upstream.count("GET", `/v2/${path}`);
}

const faults: readonly [string, DiskFaults][] = [
  ["no room to begin", { begin: "ENOSPC" }],
  ["no file may be made", { begin: "EROFS" }],
  ["no descriptors are left", { begin: "EMFILE" }],
  ["no room for the first byte", { roomBytes: 0 }],
  ["no room after a while", { roomBytes: 500_000 }],
  ["no room for the last byte", { roomBytes: 1_499_999 }],
  ["a sync that fails", { publish: "EIO" }],
  ["no room for the name", { publish: "ENOSPC" }],
];

test.each(faults)("%s: the pull is whole, nothing is kept, and it is said (F13, F14)", async (_, given) => {
  const disk = { ...given };
  await using world = await faultyWorld(disk);
  const blob = offer(world);
  expect(await pulled(world, blob)).toBe(`200 ${blob.digest}`);
  await settled(world.blobs);
  expect(world.said.join()).toContain(blob.digest);
  expect(await world.storage.index.blob(blob.digest)).toBeUndefined();
  await until(() => readdirSync(world.storage.layout.fills).length === 0, "drafts are taken away");
  expect(existsSync(world.storage.layout.blob(blob.digest))).toBe(false);
  // The disk is well again: what comes now is kept.
  await until(() => (disk.openDrafts ?? 0) === 0, "the draft is closed");
  for (const fault of Object.keys(given)) delete disk[fault as keyof DiskFaults];
  expect(await pulled(world, blob)).toBe(`200 ${blob.digest}`);
  await settled(world.blobs);
  expect(await pulled(world, blob)).toBe(`200 ${blob.digest}`);
  expect(gets(world, blob)).toBe(2);
});

test("on a full disk what was not pulled for long makes room for what is pulled now (F13)", async () => {
  const disk: DiskFaults = {};
  await using world = await faultyWorld(disk);
  const old = offer(world);
  await pulled(world, old);
  await settled(world.blobs);
  await world.quota.flushPulls();
  world.clock.advance(11 * 60_000);
  disk.roomBytes = 500_000;
  const blob = offer(world);
  // Room comes with the file that goes.
  disk.onRemove = () => delete disk.roomBytes;
  expect(await pulled(world, blob)).toBe(`200 ${blob.digest}`);
  await settled(world.blobs);
  expect(await world.storage.index.blob(blob.digest)).toBeDefined();
  expect(await world.storage.index.blob(old.digest)).toBeUndefined();
});

test("what is being sent is not evicted, however slowly its client reads", async () => {
  await using world = await faultyWorld({}, { maxSize: "40MB" });
  await using port = listen(world.app);
  const blobs = [offer(world, 24_000_000), offer(world, 10_000_000), offer(world, 20_000_000)] as const;
  const [slow, idle, next] = blobs;
  for (const blob of [slow, idle]) await pulled(world, blob);
  await settled(world.blobs);
  const client = await RawConnection.open(port.port);
  client.send(requestText("GET", `/v2/registry.test/${slow.path}`));
  await until(() => client.unread.length > 0, "the client has begun");
  client.pause();
  await world.quota.flushPulls();
  world.clock.advance(11 * 60_000);
  // Idle makes room of 10 MB; 20 MB would need what is being sent too.
  expect(await pulled(world, next)).toBe(`200 ${next.digest}`);
  await settled(world.blobs);
  const held = await Promise.all(
    blobs.map(async ({ digest }) => (await world.storage.index.blob(digest)) !== undefined),
  );
  expect(held).toEqual([true, false, false]);
  client.resume();
  const answer = await client.answer();
  client.close();
  expect([answer.isWhole, digestOf(answer.body)]).toEqual([true, slow.digest]);
  // Nobody reads it any more.
  expect(await pulled(world, next)).toBe(`200 ${next.digest}`);
  await settled(world.blobs);
  expect(await world.storage.index.blob(slow.digest)).toBeUndefined();
  expect(await world.storage.index.blob(next.digest)).toBeDefined();
});

/**
 * A download of 4 MB that stands still at 3 MB, when what came first is on disk and no more in memory, and the disk can be
 * read no more. What is asked for then is answered with `body`.
 */
async function unreadable(world: World, disk: DiskFaults, body: (blob: Buffer) => Buffer): Promise<Unreadable> {
  const blob = uniqueBlob(4_000_000);
  const gate = createLatch();
  world.upstream.on("GET", `/v2/${blob.path}`, (request, nth) => {
    // In two parts, so that the first is a piece of its own whatever the network does.
    if (nth === 1) return { body: blob.blob, cut: { at: 1_500_000, by: "fin" } };
    const start = Number(/^bytes=(\d+)-/.exec(request.headers.get("range") ?? "")?.[1] ?? 0);
    if (nth === 2) return { ...blobReplies(blob.blob)(request), hold: { at: 3_000_000 - start, until: gate.opened } };
    return blobReplies(body(blob.blob))(request);
  });
  const first = await world.ask(`/v2/registry.test/${blob.path}`);
  const reader = first.body!.getReader();
  for (let got = 0; got < 2_500_000; ) got += (await reader.read()).value?.byteLength ?? 0;
  // Up to 512 KiB are gathered before they are written.
  await until(() => (disk.writtenBytes ?? 0) > 3_000_000 - 512 * 1024, "what came is written");
  disk.read = "EIO";
  return { blob, gate, leave: () => reader.cancel() };
}

interface Unreadable {
  readonly blob: UniqueBlob;
  readonly gate: { open(): void };
  readonly leave: () => Promise<void>;
}

test.each([
  ["costs its late reader a download, not the pull (F14)", (blob: Buffer) => blob, (digest: string) => `200 ${digest}`],
  [
    "and whose bytes then come wrong breaks its late reader (F9, F14)",
    (blob: Buffer) => Buffer.from(blob).fill("x", 3_999_990),
    () => "broken",
  ],
])("a draft that cannot be read back %s", async (_, body, expected) => {
  const disk: DiskFaults = {};
  await using world = await faultyWorld(disk);
  const { blob, gate, leave } = await unreadable(world, disk, body);
  const late = pulled(world, blob).catch(() => "broken");
  await until(() => gets(world, blob) === 3, "the late reader asks for itself");
  gate.open();
  expect(await late).toBe(expected(blob.digest));
  await leave();
  await until(() => disk.openDrafts === 0, "the draft is closed");
});

test("a download that has failed and still waits for the disk is joined by nobody", async () => {
  const gate = createLatch();
  const disk: DiskFaults = { writable: gate.opened };
  await using world = await faultyWorld(disk);
  const blob = uniqueBlob(700_000);
  world.upstream.on("GET", `/v2/${blob.path}`, { body: blob.blob, cut: { at: 300_000, by: "rst" } });
  expect(await pulled(world, blob).catch(() => "broken")).toBe("broken");
  world.upstream.on("GET", `/v2/${blob.path}`, blobReplies(blob.blob));
  expect(await pulled(world, blob)).toBe(`200 ${blob.digest}`);
  gate.open();
  await settled(world.blobs);
  expect(await world.storage.index.blob(blob.digest)).toBeDefined();
});

const losses: readonly [string, (file: string) => void][] = [
  ["is gone", (file) => unlinkSync(file)],
  ["is empty", (file) => truncateSync(file)],
  ["is one byte short", (file) => truncateSync(file, 1_499_999)],
  ["is too long", (file) => truncateSync(file, 1_500_001)],
];

test.each(losses)("a file that %s is a miss, and is there again afterwards (F17, F18)", async (_, lose) => {
  await using world = await faultyWorld({});
  for (const ask of [{}, { method: "HEAD" }, { headers: { Range: "bytes=0-9" } }]) {
    const blob = offer(world);
    await pulled(world, blob);
    await settled(world.blobs);
    lose(world.storage.layout.blob(blob.digest));
    const reply = await world.ask(`/v2/registry.test/${blob.path}`, ask);
    const body = await reply.bytes();
    expect([200, 206]).toContain(reply.status);
    expect(blob.blob.subarray(0, body.byteLength).equals(body)).toBe(true);
    expect(await pulled(world, blob)).toBe(`200 ${blob.digest}`);
    await settled(world.blobs);
    expect(await pulled(world, blob)).toBe(`200 ${blob.digest}`);
    expect(gets(world, blob)).toBe(2);
  }
});

test("a lost file that many ask for at once is counted out once (F18)", async () => {
  await using world = await faultyWorld({});
  const [kept, lost] = [offer(world), offer(world)];
  for (const blob of [kept, lost]) await pulled(world, blob);
  await settled(world.blobs);
  unlinkSync(world.storage.layout.blob(lost.digest));
  const answers = await Promise.all(Array.from({ length: 10 }, () => pulled(world, lost)));
  expect(new Set(answers)).toEqual(new Set([`200 ${lost.digest}`]));
  await settled(world.blobs);
  expect(gets(world, lost)).toBe(2);
  expect(await world.quota.heldBytes("rules[0]")).toBe(3_000_000);
  expect(await pulled(world, lost)).toBe(`200 ${lost.digest}`);
  expect(gets(world, lost)).toBe(2);
});

test("a file without a row is nobody's: it is not served, and is swept (F18)", async () => {
  await using world = await faultyWorld({});
  const { content, index, layout } = world.storage;
  const [held, orphan] = [offer(world), offer(world)];
  await pulled(world, held);
  await settled(world.blobs);
  const draft = await content.begin(orphan.digest);
  await draft.write([new Uint8Array(orphan.blob)], 0);
  await content.publish(draft, orphan.digest);
  await draft.close();
  writeFileSync(`${layout.blob(held.digest)}.strange`, "not ours");
  expect((await world.ask(`/v2/registry.test/c/blobs/${orphan.digest}`)).status).toBe(404);
  const pace = { signal: new AbortController().signal, pause: () => Promise.resolve() };
  const { removedFiles } = await sweepContent(content, index, pace);
  expect([removedFiles, existsSync(layout.blob(orphan.digest))]).toEqual([1, false]);
  expect(await pulled(world, held)).toBe(`200 ${held.digest}`);
  expect(gets(world, held)).toBe(1);
});
