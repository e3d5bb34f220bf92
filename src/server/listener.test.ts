import { afterAll, beforeAll, expect, test } from "bun:test";
import { Failure } from "../errors/failure.ts";
import { blobReplies, digestOf, manifestReply } from "../registry/testing/content.ts";
import { createLatch } from "../registry/testing/scripted-reply.ts";
import { Listener } from "./listener.ts";
import { faultyContent } from "../store/testing/faulty-content.ts";
import { listen, type TestListener } from "./testing/listen.ts";
import { rawAsk, RawConnection, requestText } from "./testing/raw-connection.ts";
import { createWorld, settled, until, type World } from "./testing/world.ts";

const manifest = `{"schemaVersion":2}`;
const blob = Buffer.alloc(600_000, "blob");
const digest = digestOf(blob);
const blobPath = `/v2/registry.test/b/blobs/${digest}`;
const manifestPath = "/v2/registry.test/b/manifests/1";

async function filledWorld(): Promise<World> {
  const world = await createWorld();
  world.upstream.on("GET", "/v2/b/manifests/1", manifestReply(manifest));
  world.upstream.on("GET", `/v2/b/manifests/${digestOf(manifest)}`, manifestReply(manifest));
  world.upstream.on("GET", `/v2/b/blobs/${digest}`, blobReplies(blob));
  world.upstream.on("GET", "/v2/b/tags/list", { headers: { "Content-Type": "application/json" }, body: `{"tags":[]}` });
  return world;
}

let shared: World;
let sharedPort: TestListener;
beforeAll(async () => {
  shared = await filledWorld();
  sharedPort = listen(shared.app);
});
afterAll(async () => {
  await sharedPort[Symbol.asyncDispose]();
  await shared[Symbol.asyncDispose]();
});

const paths = [
  "/v2/",
  manifestPath,
  `/v2/registry.test/b/manifests/${digestOf(manifest)}`,
  blobPath,
  "/v2/registry.test/b/tags/list",
  `/v2/registry.test/b/referrers/${digest}`,
  "/v2/registry.test/b/manifests/none",
  `/v2/registry.test/b/blobs/${digestOf("none")}`,
  "/v2/_catalog",
  "/nothing",
  "/healthz",
  "/readyz",
  "/metrics",
];

/** Headers that say how the body is sent, and those that differ from one moment to the next. */
const framing = new Set(["content-length", "transfer-encoding", "date", "content-disposition", "age"]);

test.each(paths)("HEAD of %s is GET without a body, cold and held", async (path) => {
  const [world, port] = [shared, sharedPort];
  for (const when of ["cold", "held"]) {
    const head = await rawAsk(port.port, "HEAD", path);
    const get = await rawAsk(port.port, "GET", path);
    await settled(world.blobs);
    expect([when, head.status]).toEqual([when, get.status]);
    expect(get.isWhole).toBe(true);
    const rest = (headers: ReadonlyMap<string, string>): string[] =>
      [...headers]
        .filter(([name]) => !framing.has(name))
        .map(([name, value]) => `${name}: ${value}`)
        .toSorted();
    expect(rest(head.headers)).toEqual(rest(get.headers));
    if (path !== "/metrics")
      expect(head.headers.get("content-length") ?? String(get.body.length)).toBe(String(get.body.length));
  }
});

test.each([
  [64 * 1024, 405],
  [64 * 1024 + 1, 413],
])("where nothing is pushed, a body of %d bytes is answered with %d", async (sizeBytes, status) => {
  const body = Buffer.alloc(sizeBytes);
  const reply = await fetch(`http://127.0.0.1:${sharedPort.port}/v2/`, { method: "POST", body });
  expect(reply.status).toBe(status);
});

test("a held blob goes out with its length, and its HEAD says it", async () => {
  const [world, port] = [shared, sharedPort];
  await rawAsk(port.port, "GET", blobPath);
  await settled(world.blobs);
  for (const method of ["GET", "HEAD"]) {
    const answer = await rawAsk(port.port, method, blobPath);
    expect(answer.headers.get("content-length")).toBe(String(blob.length));
    expect(answer.headers.get("content-type")).toBe("application/octet-stream");
  }
});

test.each([
  ["bytes=0-4", 206, 0, 5],
  ["bytes=599999-", 206, 599_999, 600_000],
  ["bytes=-3", 206, 599_997, 600_000],
  ["bytes=100-700000", 206, 100, 600_000],
  ["bytes=0-", 206, 0, 600_000],
])("%s of a held blob is %d on the wire, with one Content-Range", async (range, status, from, to) => {
  const [world, port] = [shared, sharedPort];
  await rawAsk(port.port, "GET", blobPath);
  await settled(world.blobs);
  const connection = await RawConnection.open(port.port);
  connection.send(requestText("GET", blobPath, ["Host: cache.test", `Range: ${range}`]));
  const answer = await connection.answer();
  connection.close();
  expect([answer.status, answer.isWhole]).toEqual([status, true]);
  expect(answer.body.equals(blob.subarray(from, to))).toBe(true);
  expect(answer.headers.get("content-range")).toBe(
    status === 206 ? `bytes ${from}-${to - 1}/${blob.length}` : undefined,
  );
});

test("a file that is gone when the runtime opens it is our fault, said in OCI's words and in the log", async () => {
  await using world = await createWorld({
    content: (inner) => ({
      ...faultyContent({})(inner),
      held: (of, sizeBytes) => inner.held(of, sizeBytes) && { kind: "file", path: "/nowhere/at/all" },
    }),
  });
  world.upstream.on("GET", `/v2/b/blobs/${digest}`, blobReplies(blob));
  await using port = listen(world.app);
  await rawAsk(port.port, "GET", blobPath);
  await settled(world.blobs);
  const answer = await rawAsk(port.port, "GET", blobPath);
  expect(answer.status).toBe(500);
  expect(JSON.parse(answer.body.toString())).toMatchObject({ errors: [{ code: "UNAVAILABLE" }] });
  expect(answer.body.toString()).not.toContain("nowhere");
  expect(world.said.join()).toContain("ENOENT");
});

test("a port that is taken is said with what to do", async () => {
  await using world = await createWorld();
  await using port = listen(world.app);
  const again = (): Listener =>
    new Listener(world.app, { hostname: "127.0.0.1", port: port.port, tls: undefined, isShared: false });
  expect(again).toThrow(Failure);
  expect(again).toThrow("--listen");
});

test("stopping lets a running pull finish, takes no new connection, and waits for nobody who asks nothing", async () => {
  await using world = await filledWorld();
  const gate = createLatch();
  world.upstream.on("GET", `/v2/b/blobs/${digest}`, { body: blob, hold: { at: 300_000, until: gate.opened } });
  await using port = listen(world.app);
  const pull = await RawConnection.open(port.port);
  pull.send(requestText("GET", blobPath));
  const idle = await RawConnection.open(port.port);
  idle.send(requestText("GET", "/healthz"));
  await idle.answer();
  const silent = await RawConnection.open(port.port);
  const half = await RawConnection.open(port.port);
  half.send("GET /healthz HTTP/1.1\r\nHost: cac");
  await until(() => pull.unread.length > 200_000, "the pull runs");
  const stopped = port.listener.stop(60_000);
  await idle.ended;
  expect(
    await RawConnection.open(port.port).then(
      () => "accepted",
      () => "refused",
    ),
  ).toBe("refused");
  gate.open();
  const answer = await pull.answer();
  expect([answer.isWhole, digestOf(answer.body)]).toEqual([true, digest]);
  await stopped;
  await half.ended;
  // The kernel has kept it back so far: it is handed over with its first byte.
  silent.send(requestText("GET", "/healthz"));
  await silent.ended;
});

test("stopping does not wait longer than it may for a pull that stands still", async () => {
  await using world = await filledWorld();
  world.upstream.on("GET", `/v2/b/blobs/${digest}`, {
    body: blob,
    hold: { at: 300_000, until: new Promise(() => {}) },
  });
  await using port = listen(world.app);
  const pull = await RawConnection.open(port.port);
  pull.send(requestText("GET", blobPath));
  await until(() => pull.unread.length > 200_000, "the pull runs");
  await port.listener.stop(50);
  expect((await pull.answer()).isWhole).toBe(false);
});
