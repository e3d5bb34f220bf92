import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readlinkSync } from "node:fs";
import { blobReplies, digestOf } from "../../registry/testing/content.ts";
import { createLatch } from "../../registry/testing/scripted-reply.ts";
import { listen, type TestListener } from "../testing/listen.ts";
import { RawConnection, requestText } from "../testing/raw-connection.ts";
import { type UniqueBlob, uniqueBlob } from "../testing/unique-blob.ts";
import { createWorld, settled, until, type World } from "../testing/world.ts";

// Faults F26 and F27: clients that go away, and clients that read slowly or not at all.

setDefaultTimeout(30_000);

let world: World;
let port: TestListener;
beforeAll(async () => {
  world = await createWorld();
  port = listen(world.app);
});
afterAll(async () => {
  await port[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

function offer(sizeBytes: number): UniqueBlob {
  const blob = uniqueBlob(sizeBytes);
  world.upstream.on("GET", `/v2/${blob.path}`, blobReplies(blob.blob));
  return blob;
}

async function begin({ path }: UniqueBlob, headers: readonly string[] = ["Host: cache.test"]): Promise<RawConnection> {
  const connection = await RawConnection.open(port.port);
  connection.send(requestText("GET", `/v2/registry.test/${path}`, headers));
  return connection;
}

/** Files of the storage folder that this process has open. */
function openFiles(): number {
  const links = readdirSync("/proc/self/fd").map((name) => linkOf(`/proc/self/fd/${name}`));
  return links.filter((link) => link.includes(`${world.storage.layout.root}/v1/fills`) || link.includes("/v1/blobs/"))
    .length;
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

test("who goes away in the middle leaves nothing open, and the download goes on without it (F26)", async () => {
  const said = world.said.length;
  for (let round = 0; round < 5; round++) {
    const blob = uniqueBlob(1_000_000);
    const gate = createLatch();
    world.upstream.on("GET", `/v2/${blob.path}`, { body: blob.blob, hold: { at: 300_000, until: gate.opened } });
    const clients = await Promise.all(Array.from({ length: 40 }, () => begin(blob)));
    await until(() => clients.every(({ unread }) => unread.length > 1000), "all have begun");
    for (const client of clients) client.close();
    gate.open();
    await settled(world.blobs);
    expect(await world.storage.index.blob(blob.digest)).toBeDefined();
    expect(world.upstream.count("GET", `/v2/${blob.path}`)).toBe(1);
  }
  await until(() => openFiles() === 0, "files are closed");
  expect(world.said.slice(said)).toEqual([]);
});

test("who goes away before the upstream has answered leaves nothing open either (F26)", async () => {
  const blob = uniqueBlob(1_000_000);
  const gate = createLatch();
  world.upstream.on("GET", `/v2/${blob.path}`, { body: blob.blob, hold: { at: "head", until: gate.opened } });
  const clients = await Promise.all(Array.from({ length: 40 }, () => begin(blob)));
  await until(() => world.upstream.count("GET", `/v2/${blob.path}`) === 1, "the upstream is asked");
  for (const client of clients) client.close();
  gate.open();
  await until(async () => (await world.storage.index.blob(blob.digest)) !== undefined, "the download goes on");
  await until(() => openFiles() === 0, "files are closed");
});

test("who goes away from a held blob leaves nothing open (F26)", async () => {
  const blob = offer(8_000_000);
  await (await begin(blob)).answer();
  await settled(world.blobs);
  for (let round = 0; round < 5; round++) {
    const clients = await Promise.all(Array.from({ length: 40 }, () => begin(blob)));
    await until(() => clients.every(({ unread }) => unread.length > 1000), "all have begun");
    for (const client of clients) client.close();
  }
  await until(() => openFiles() === 0, "files are closed");
  expect((await (await begin(blob)).answer()).isWhole).toBe(true);
});

test("who goes away from a range of its own ends that range (F26)", async () => {
  const blob = uniqueBlob(9_000_000);
  const gate = createLatch();
  world.upstream.on("GET", `/v2/${blob.path}`, (request) => {
    const reply = blobReplies(blob.blob)(request);
    return { ...reply, hold: { at: 1000, until: gate.opened } };
  });
  const whole = await begin(blob);
  await until(() => whole.unread.length > 500, "the download begins");
  const far = await begin(blob, ["Host: cache.test", "Range: bytes=8000000-"]);
  await until(() => far.unread.length > 500, "the range begins");
  far.close();
  gate.open();
  const answer = await whole.answer();
  expect(digestOf(answer.body)).toBe(blob.digest);
  expect(world.upstream.count("GET", `/v2/${blob.path}`)).toBe(2);
});

test("readers that stand still hold nobody up, and go on where they were (F27)", async () => {
  const blob = offer(32_000_000);
  const slow = await Promise.all(
    Array.from({ length: 40 }, async () => {
      const connection = await begin(blob);
      connection.pause();
      return connection;
    }),
  );
  const fast = await fetch(`${port.url}/v2/registry.test/${blob.path}`);
  expect(await hashed(fast)).toBe(blob.digest);
  await settled(world.blobs);
  const [one, ...others] = slow;
  for (const connection of others) connection.close();
  one?.resume();
  expect(digestOf((await one?.answer())?.body ?? "")).toBe(blob.digest);
  expect(world.upstream.count("GET", `/v2/${blob.path}`)).toBe(1);
  await until(() => openFiles() === 0, "files are closed");
});

async function hashed(response: Response): Promise<string> {
  const hasher = new Bun.CryptoHasher("sha256");
  for await (const chunk of response.body ?? []) hasher.update(chunk);
  return `sha256:${hasher.digest("hex")}`;
}
