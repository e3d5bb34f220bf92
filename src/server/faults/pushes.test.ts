import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { collectHosted } from "../../hosted/collect.ts";
import { digestOf } from "../../registry/testing/content.ts";
import { listen } from "../testing/listen.ts";
import { createStoreWorld, imageOf, pushBlob } from "../testing/pushing.ts";
import { RawConnection } from "../testing/raw-connection.ts";
import { uniqueBlob } from "../testing/unique-blob.ts";
import { until, type World } from "../testing/world.ts";

// Faults F33 and F34: who pushes goes away, what is read is deleted.

interface Recorded {
  readonly method: string;
  readonly status: number;
}

function recorded(world: World, method: string): readonly number[] {
  const records = world.records.map((line) => JSON.parse(line) as Recorded);
  return records.filter((record) => record.method === method).map(({ status }) => status);
}

/** Sends a request's head and some of its body, and goes away once that has come. */
async function sendAndGo(port: number, head: string, came: () => boolean | Promise<boolean>): Promise<void> {
  const connection = await RawConnection.open(port);
  connection.send(head);
  await until(came, "what was sent comes in");
  connection.close();
}

test.each<[string, string, string, string, number]>([
  ["a PATCH of a length", "PATCH", "", "Content-Length: 1000\r\n\r\nhello", 5],
  ["a PATCH in chunks", "PATCH", "", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", 5],
  ["a PATCH in chunks, cut in one", "PATCH", "", "Transfer-Encoding: chunked\r\n\r\n5\r\nhel", 3],
  ["the last PUT", "PUT", `?digest=${digestOf("hello world")}`, "Content-Length: 11\r\n\r\nhello ", 6],
])("who goes away within %s goes on where that broke off (F34)", async (_, ...[method, query, rest, sizeBytes]) => {
  await using world = await createStoreWorld();
  await using server = listen(world.app, { takesUploads: true });
  const begun = await world.ask("/v2/a/blobs/uploads/", { method: "POST" });
  const location = begun.headers.get("location") ?? "";
  const id = location.slice(location.lastIndexOf("/") + 1);
  const head = `${method} ${location}${query} HTTP/1.1\r\nHost: cache.test\r\n${rest}`;
  let arrived = 0;
  // Bytes that are gathered are not in the file yet: that the request runs is all that can be seen.
  await sendAndGo(server.port, head, () => ++arrived > 200 && existsSync(`${world.storage.layout.uploads}/${id}`));
  await until(() => recorded(world, method).length === 1, "the request is over");
  const state = await world.ask(location);
  expect([state.status, state.headers.get("range")]).toEqual([204, `0-${sizeBytes - 1}`]);
  // It is the client's doing: nobody has to look into it.
  expect([recorded(world, method), world.said]).toEqual([[400], []]);
  const whole = "hello world";
  const headers = { "Content-Range": `${sizeBytes}-${whole.length - 1}` };
  const init = { method: "PUT", body: whole.slice(sizeBytes), headers };
  expect((await world.ask(`${location}?digest=${digestOf(whole)}`, init)).status).toBe(201);
  expect(await (await world.ask(`/v2/a/blobs/${digestOf(whole)}`)).text()).toBe(whole);
});

test("who goes away within a blob sent whole, or a manifest, leaves nothing (F34)", async () => {
  await using world = await createStoreWorld();
  await using server = listen(world.app, { takesUploads: true });
  await pushBlob(world, "a", "{}");
  const image = imageOf([]);
  for (const [method, path, body] of [
    ["POST", `blobs/uploads/?digest=${digestOf("hello")}`, "hello"],
    ["PUT", "manifests/1", image],
  ] as const) {
    let turns = 0;
    const head = `${method} /v2/a/${path} HTTP/1.1\r\nHost: cache.test\r\nContent-Length: ${body.length}\r\n\r\n`;
    const before = recorded(world, method).length;
    await sendAndGo(server.port, head + body.slice(0, -1), () => ++turns > 200);
    await until(() => recorded(world, method).length > before, "the request is over");
  }
  expect([recorded(world, "POST").at(-1), recorded(world, "PUT"), world.said]).toEqual([400, [400], []]);
  const left = await Array.fromAsync(new Bun.Glob("*").scan(world.storage.layout.uploads));
  expect([left, (await world.ask("/v2/a/manifests/1")).status]).toEqual([[], 404]);
});

test("what is deleted and collected while somebody reads it comes whole, and is not there afterwards (F33)", async () => {
  await using world = await createStoreWorld();
  await using server = listen(world.app, { takesUploads: true });
  const { blob, digest } = uniqueBlob(12_000_000);
  await pushBlob(world, "a", blob);
  const reply = await fetch(`${server.url}/v2/a/blobs/${digest}`);
  const reader = reply.body!.getReader();
  const pieces = [(await reader.read()).value ?? new Uint8Array()];
  expect((await world.ask(`/v2/a/blobs/${digest}`, { method: "DELETE" })).status).toBe(202);
  const { hosted: index, content } = world.storage;
  world.clock.advance(1);
  const parts = { index, content, uploads: { sweep: async () => 0 }, nowMs: () => world.clock.epochMs() };
  await collectHosted(parts, { leaseMs: 0, uploadMs: 0 }, new AbortController().signal);
  expect(existsSync(world.storage.layout.blob(digest))).toBe(false);
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    pieces.push(value);
  }
  expect(digestOf(Buffer.concat(pieces))).toBe(digest);
  expect((await world.ask(`/v2/a/blobs/${digest}`)).status).toBe(404);
});
