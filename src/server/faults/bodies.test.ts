import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { blobReplies, digestOf } from "../../registry/testing/content.ts";
import { createLatch, type Script, type ScriptedReply } from "../../registry/testing/scripted-reply.ts";
import { listen, type TestListener } from "../testing/listen.ts";
import { type RawAnswer, RawConnection, requestText } from "../testing/raw-connection.ts";
import { type UniqueBlob, uniqueBlob } from "../testing/unique-blob.ts";
import { createWorld, settled, until, type World } from "../testing/world.ts";

// Faults F3, F7, F8, F9 and F19, threat T4: a body that breaks, stalls or is another. Clients are raw sockets, so that what
// counts is what came over the wire.

const sizeBytes = 700_000;
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

function offer(script: Script, blob = uniqueBlob(sizeBytes)): UniqueBlob {
  world.upstream.on("GET", `/v2/${blob.path}`, script);
  return blob;
}

async function pull(path: string, version = "1.1"): Promise<RawAnswer> {
  const connection = await RawConnection.open(port.port);
  connection.send(`GET /v2/registry.test/${path} HTTP/${version}\r\nHost: cache.test\r\n\r\n`);
  const answer = await connection.answer();
  connection.close();
  return answer;
}

/** Nothing of a digest is left: no file, no row, and nothing half written. */
async function expectNothingKept({ digest }: UniqueBlob): Promise<void> {
  await settled(world.blobs);
  expect(await world.storage.index.blob(digest)).toBeUndefined();
  expect(world.storage.content.held(digest, sizeBytes)).toBeUndefined();
  await until(() => readdirSync(world.storage.layout.fills).length === 0, "drafts are taken away");
}

async function expectHeld(blob: UniqueBlob): Promise<void> {
  await settled(world.blobs);
  const before = world.upstream.requests.length;
  const answer = await pull(blob.path);
  expect([answer.status, answer.isWhole, digestOf(answer.body)]).toEqual([200, true, blob.digest]);
  expect(world.upstream.requests.length).toBe(before);
}

const cuts = [0, 1, sizeBytes / 2, sizeBytes - 1].flatMap((at) =>
  (["fin", "rst"] as const).flatMap((by) => ([undefined, "chunked"] as const).map((length) => ({ at, by, length }))),
);

test.each(cuts)(
  "a body cut once, %p, is taken up where it broke, and nobody notices (F7)",
  async ({ at, by, length }) => {
    const blob = uniqueBlob(sizeBytes);
    offer((request, nth) => {
      if (nth > 1) return blobReplies(blob.blob)(request);
      return { body: blob.blob, cut: { at, by }, ...(length === undefined ? {} : { length }) };
    }, blob);
    const answer = await pull(blob.path);
    expect([answer.status, answer.isWhole, digestOf(answer.body)]).toEqual([200, true, blob.digest]);
    const resumed = world.upstream.requests.findLast(({ path }) => path === `/v2/${blob.path}`);
    // The runtime may drop what came before a break; a reset may overtake all of it.
    if (at > 1 && by === "fin") expect(resumed?.headers.get("range")).toMatch(/^bytes=\d+-$/);
    await expectHeld(blob);
  },
);

test.each(cuts)(
  "a body cut again and again, %p, breaks the client's connection (F7, F8)",
  async ({ at, by, length }) => {
    const blob = uniqueBlob(sizeBytes);
    // Whatever is asked for: the same first bytes, and then the end.
    offer({ body: blob.blob, cut: { at, by }, ...(length === undefined ? {} : { length }) }, blob);
    const answer = await pull(blob.path).catch(() => undefined);
    if (answer?.status === 200) expect([answer.isWhole, answer.body.length < sizeBytes]).toEqual([false, true]);
    await expectNothingKept(blob);
  },
);

const other = Buffer.from("x");
const wrong: readonly [string, (blob: Buffer) => Script][] = [
  ["other bytes", (blob) => ({ body: flipped(blob, 0) })],
  ["one bit that is wrong at the end", (blob) => ({ body: flipped(blob, blob.length - 1) })],
  ["other bytes, chunked", (blob) => ({ body: flipped(blob, 300_000), length: "chunked" })],
  ["other bytes, to the end of the connection", (blob) => ({ body: flipped(blob, 300_000), length: "close" })],
  ["one byte more", (blob) => ({ body: Buffer.concat([blob, other]) })],
  ["one byte more, chunked", (blob) => ({ body: Buffer.concat([blob, other]), length: "chunked" })],
  ["a megabyte more, chunked", (blob) => ({ body: Buffer.concat([blob, Buffer.alloc(1_000_000)]), length: "chunked" })],
  ["one byte less", (blob) => ({ body: blob.subarray(0, -1) })],
  ["one byte less, chunked", (blob) => ({ body: blob.subarray(0, -1), length: "chunked" })],
  ["one byte less, to the end of the connection", (blob) => ({ body: blob.subarray(0, -1), length: "close" })],
  ["a length that is too small", (blob) => ({ body: blob, length: blob.length - 10 })],
  ["nothing", () => ({ body: "" })],
  ["a page that says sorry", () => ({ body: "<html>sorry</html>", headers: { "Content-Type": "text/html" } })],
  [
    "the bytes, compressed",
    (blob) => ({ body: Bun.gzipSync(new Uint8Array(blob)), headers: { "Content-Encoding": "gzip" } }),
  ],
  [
    "a resume with other bytes",
    (blob) => cutThen(blob, (start) => partly(blob, start, flipped(blob, blob.length - 5).subarray(start))),
  ],
  ["a resume of another range", (blob) => cutThen(blob, (start) => partly(blob, start + 1, blob.subarray(start + 1)))],
  [
    "a resume that says another size",
    (blob) => cutThen(blob, (start) => partly(blob, start, blob.subarray(start), blob.length + 1)),
  ],
];

/** A reply cut in the middle, and then what is made of the byte from which it is asked to go on. */
function cutThen(blob: Buffer, then: (startByte: number) => ScriptedReply): Script {
  return (request) => {
    const start = Number(/^bytes=(\d+)-/.exec(request.headers.get("range") ?? "")?.[1] ?? 0);
    return start === 0 ? { body: blob, cut: { at: 400_000, by: "fin" } } : then(start);
  };
}

function partly(blob: Buffer, start: number, body: Buffer, sizeBytes = blob.length): ScriptedReply {
  const end = Math.max(start, blob.length - 1);
  return { status: 206, headers: { "Content-Range": `bytes ${start}-${end}/${sizeBytes}` }, body };
}

function flipped(blob: Buffer, at: number): Buffer {
  const copy = Buffer.from(blob);
  copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
  return copy;
}

test.each(wrong)("%s: nobody gets a whole body, nothing is kept, and it is said (F9, T4)", async (_, scriptOf) => {
  const blob = uniqueBlob(sizeBytes);
  offer(scriptOf(blob.blob), blob);
  const said = world.said.length;
  const answers = await Promise.all(
    ["1.1", "1.1", "1.0"].map((version) => pull(blob.path, version).catch(() => undefined)),
  );
  for (const answer of answers) {
    if (answer?.status === 200) expect(answer.isWhole).toBe(false);
    else if (answer !== undefined) expect(answer.status).toBe(502);
  }
  await expectNothingKept(blob);
  if (answers.some((answer) => answer === undefined || answer.status === 200)) {
    expect(world.said.slice(said).join()).toContain(blob.digest);
  }
  const again = await pull(blob.path).catch(() => undefined);
  expect(again?.isWhole === true && again.status === 200).toBe(false);
});

test.each([
  ["other bytes", (blob: Buffer): ScriptedReply => ({ body: flipped(blob, 5) })],
  ["one byte less", (blob: Buffer): ScriptedReply => ({ body: blob.subarray(0, -1) })],
  ["one byte more", (blob: Buffer): ScriptedReply => ({ body: Buffer.concat([blob, other]) })],
])("a small blob of %s is 502 (F9)", async (_, replyOf) => {
  const blob = uniqueBlob(2000);
  offer(replyOf(blob.blob), blob);
  expect((await pull(blob.path)).status).toBe(502);
  await expectNothingKept(blob);
});

test("a digest that came with wrong bytes is left alone for half a minute, and can be had then", async () => {
  const blob = uniqueBlob(sizeBytes);
  const path = `/v2/${blob.path}`;
  offer({ body: flipped(blob.blob, 9) }, blob);
  await pull(blob.path).catch(() => undefined);
  await expectNothingKept(blob);
  expect((await pull(blob.path)).status).toBe(502);
  expect(world.upstream.count("GET", path)).toBe(1);
  world.upstream.on("GET", path, blobReplies(blob.blob));
  world.clock.advance(30_001);
  expect(digestOf((await pull(blob.path)).body)).toBe(blob.digest);
  await expectHeld(blob);
});

test("a body that stalls is resumed where it stood (F3)", async () => {
  const blob = uniqueBlob(sizeBytes);
  offer((request, nth) => {
    const reply = blobReplies(blob.blob)(request);
    return nth === 1 ? { ...reply, hold: { at: 300_000, until: new Promise(() => {}) } } : reply;
  }, blob);
  const client = await RawConnection.open(port.port);
  client.send(requestText("GET", `/v2/registry.test/${blob.path}`));
  await until(() => client.unread.length > 300_000, "the body stands still");
  world.clock.advance(14_999);
  expect(world.upstream.count("GET", `/v2/${blob.path}`)).toBe(1);
  world.clock.advance(1);
  const answer = await client.answer();
  client.close();
  expect([answer.isWhole, digestOf(answer.body)]).toEqual([true, blob.digest]);
  expect(world.upstream.requests.at(-1)?.headers.get("range")).toBe("bytes=300000-");
  await expectHeld(blob);
});

test("an upstream that ignores the range of a resume costs bytes, not the pull (F9)", async () => {
  const blob = uniqueBlob(sizeBytes);
  offer((_, nth) => (nth === 1 ? { body: blob.blob, cut: { at: 300_000, by: "rst" } } : { body: blob.blob }), blob);
  const answer = await pull(blob.path);
  expect([answer.isWhole, digestOf(answer.body)]).toEqual([true, blob.digest]);
  await expectHeld(blob);
});

test("a hundred clients of one cold blob, early, late and gone, make one download (F19)", async () => {
  const blob = uniqueBlob(1_500_000);
  const gate = createLatch();
  offer(() => ({ body: blob.blob, hold: { at: 1_000_000, until: gate.opened } }), blob);
  const client = async (): Promise<string> =>
    digestOf(await (await fetch(`${port.url}/v2/registry.test/${blob.path}`)).bytes());
  const leader = await RawConnection.open(port.port);
  leader.send(requestText("GET", `/v2/registry.test/${blob.path}`));
  await until(() => leader.unread.length > 500_000, "bytes come while the download stands");
  leader.close();
  const early = Array.from({ length: 60 }, client);
  const gone = await Promise.all(Array.from({ length: 10 }, () => RawConnection.open(port.port)));
  for (const connection of gone) connection.send(requestText("GET", `/v2/registry.test/${blob.path}`));
  await until(() => gone.every(({ unread }) => unread.length > 500_000), "late clients read what is there");
  for (const connection of gone) connection.close();
  gate.open();
  const late = Array.from({ length: 39 }, client);
  expect(new Set(await Promise.all([...early, ...late]))).toEqual(new Set([blob.digest]));
  expect(world.upstream.count("GET", `/v2/${blob.path}`)).toBe(1);
  await expectHeld(blob);
});

test("who comes while a download fails gets a new one (F19)", async () => {
  const blob = uniqueBlob(sizeBytes);
  let isGood = false;
  offer(
    (request) => (isGood ? blobReplies(blob.blob)(request) : { body: blob.blob, cut: { at: 300_000, by: "rst" } }),
    blob,
  );
  const first = await RawConnection.open(port.port);
  first.send(requestText("GET", `/v2/registry.test/${blob.path}`));
  await first.ended;
  isGood = true;
  const answer = await pull(blob.path);
  expect([answer.status, answer.isWhole, digestOf(answer.body)]).toEqual([200, true, blob.digest]);
});
