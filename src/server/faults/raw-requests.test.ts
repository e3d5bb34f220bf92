import { afterAll, beforeAll, expect, test } from "bun:test";
import { manifestReply } from "../../registry/testing/content.ts";
import { listen, type TestListener } from "../testing/listen.ts";
import { type RawAnswer, rawAsk, RawConnection, requestText } from "../testing/raw-connection.ts";
import { createWorld, type World } from "../testing/world.ts";

// Threats T14, T15, T22 and T23: what comes over the wire is not what a URL parser or an HTTP library would have made.

let world: World;
let port: TestListener;
beforeAll(async () => {
  world = await createWorld();
  world.upstream.on("GET", "/v2/b/manifests/1", manifestReply("{}"));
  port = listen(world.app);
});
afterAll(async () => {
  await port[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

async function ask(text: string): Promise<RawAnswer> {
  const connection = await RawConnection.open(port.port);
  connection.send(text);
  const answer = await connection.answer();
  connection.close();
  return answer;
}

const hex = "a".repeat(64);

test.each<[string, number]>([
  ["/v2/registry.test/b/manifests/1", 200],
  // The runtime folds these before anybody looks: what is folded is what is decided, asked and recorded.
  ["/v2/x/../registry.test/b/manifests/1", 200],
  ["/v2/x/%2e%2E/registry.test/b/manifests/1", 200],
  ["/v2/./registry.test/b/%2e/manifests/1", 200],
  ["/../../v2/registry.test/b/manifests/1", 200],
  ["/v2\\registry.test\\b\\manifests\\1", 200],
  ["http://evil.test/v2/registry.test/b/manifests/1", 200],
  // Whatever is left of such spellings is refused.
  ["//v2/registry.test/b/manifests/1", 404],
  ["/v2//registry.test/b/manifests/1", 400],
  ["/v2/registry.test//b/manifests/1", 400],
  ["/v2/registry.test/b//manifests/1", 400],
  ["/v2/registry.test/b/manifests//1", 404],
  ["/v2/registry.test/b/manifests/1/", 404],
  ["/v2/registry.test%2Fb/manifests/1", 400],
  ["/v2/x%2F..%2Fregistry.test/b/manifests/1", 400],
  ["/v2/%252e%252e/registry.test/b/manifests/1", 400],
  ["/v2/registry.test/b%00/manifests/1", 400],
  ["/v2/registry.test/b/manifests/%31", 400],
  ["/v2/registry.test/b/manifests/1%20", 400],
  ["/v2/registry.test/b/manifests/1;a=b", 400],
  ["/v2/registry.test/b/manifests/1#2", 400],
  ["/v2/registry.test/b/manifests/../../../../../etc/passwd", 404],
  ["/v2/registry.test/B/manifests/1", 400],
  ["/v2/registry.test/ｂ/manifests/1", 400],
  ["/v2/registry.test/b@c/manifests/1", 400],
  ["/v2/user:pass@registry.test/b/manifests/1", 400],
  ["/v2/169.254.169.254/b/manifests/1", 404],
  ["/v2/127.0.0.1:80/b/manifests/1", 404],
  ["/v2/evil.test/b/manifests/1", 404],
  ["/v2/registry.test/b/manifests/1?ns=evil.test", 404],
  ["/v2/registry.test/b/manifests/1?ns=http://evil.test/", 404],
  ["/v2/registry.test/b/manifests/1?ns=evil.test%00registry.test", 404],
  [`/v2/registry.test/b/blobs/sha256:${hex}`, 404],
  [`/v2/registry.test/b/blobs/sha256:${hex.toUpperCase()}`, 400],
  [`/v2/registry.test/b/blobs/sha256:${hex}a`, 400],
  [`/v2/registry.test/b/blobs/sha512:${hex}`, 400],
  [`/v2/registry.test/b/blobs/md5:${hex.slice(32)}`, 400],
  ["/v2/registry.test/b/blobs/sha256:../../../etc/passwd", 404],
  ["/v2/registry.test/b/blobs/sha256:", 400],
  [`/v2/registry.test/b/blobs/sha256+b64:${hex}`, 400],
  [`/v2/registry.test/b/referrers/sha256:${hex.slice(1)}`, 400],
  [`/v2/registry.test/${"a/".repeat(400)}b/manifests/1`, 400],
  [`/v2/registry.test/b/manifests/${"a".repeat(129)}`, 400],
])("%s is answered with %d, and nothing is asked that it does not name", async (target, status) => {
  const before = world.upstream.requests.length;
  const answer = await ask(requestText("GET", Buffer.from(target).toString("latin1")));
  expect(answer.status).toBe(status);
  const asked = world.upstream.requests.slice(before).map((request) => request.path);
  expect(asked.filter((path) => path !== "/v2/b/manifests/1" && path !== `/v2/b/blobs/sha256:${hex}`)).toEqual([]);
  const record = JSON.parse(world.records.at(-1) ?? "") as { path: string; status: number };
  expect(record.status).toBe(status);
  if (status === 200) expect(record.path).toBe("/v2/registry.test/b/manifests/1");
  else expect(JSON.parse(answer.body.toString())).toMatchObject({ errors: [{ detail: null }] });
});

test.each([
  "/v2/registry.test/b\0/manifests/1",
  "/v2/registry.test/b /manifests/1",
  "v2/registry.test/b/manifests/1",
  "*",
  "a:1",
  "",
])("the target %j is refused before it is a request", async (target) => {
  const before = world.records.length;
  const answer = await ask(requestText("GET", target));
  expect([400, 505]).toContain(answer.status);
  expect(answer.headers.get("connection")).toBe("close");
  expect(world.records.length).toBe(before);
});

test.each<[string, string, number]>([
  ["no Host at all", "GET /healthz HTTP/1.0\r\n\r\n", 200],
  ["no Host at all", "GET /v2/registry.test/b/manifests/1 HTTP/1.0\r\n\r\n", 200],
  ["no Host at all", "GET /x/v2/registry.test/b/manifests/1 HTTP/1.0\r\n\r\n", 404],
  ["no Host at all", "GET /v2/x/../registry.test/b/manifests/1 HTTP/1.0\r\n\r\n", 400],
  ["no Host at all", "GET /v2/registry.test//v2/registry.test/b/manifests/1 HTTP/1.0\r\n\r\n", 400],
  ["no Host in HTTP/1.1", "GET /healthz HTTP/1.1\r\n\r\n", 400],
  ["a Host that is none", requestText("GET", "/healthz", ['Host: a"b']), 200],
  ["a Host that is none", requestText("GET", "/x/v2/registry.test/b/manifests/1", ["Host: a b"]), 404],
  ["a Host with a path", requestText("GET", "/b/manifests/1", ["Host: h/v2/registry.test"]), 404],
  ["a Host with a query", requestText("GET", "/v2/evil.test/b/manifests/1", ["Host: h?ns=registry.test"]), 404],
  ["a Host with a user", requestText("GET", "/x/v2/registry.test/b/manifests/1", ["Host: a@h"]), 404],
  ["a port that is none", requestText("GET", "/v2/x/../registry.test/b/manifests/1", ["Host: h:99999"]), 400],
  ["an empty Host", requestText("GET", "/v2/registry.test/b/manifests/1", ["Host:"]), 200],
])("%s: the path is the path that was sent", async (_, text, status) => {
  expect((await ask(text)).status).toBe(status);
});

const next = requestText("GET", "/healthz", ["Host: cache.test", "X-Mark: next"]);

/** The statuses of everything that the bytes were answered with; the last request asks for the end of the connection. */
async function statuses(text: string): Promise<readonly number[]> {
  const connection = await RawConnection.open(port.port);
  connection.send(text + requestText("GET", "/nothing", ["Host: cache.test", "Connection: close"]));
  await connection.ended;
  const found: number[] = [];
  while (connection.unread.length > 0) found.push((await connection.answer()).status);
  return found;
}

test.each<[string, string, readonly number[]]>([
  ["two requests", next + next, [200, 200, 404]],
  ["a body that looks like a request", body(`Content-Length: ${next.length}`, next), [200, 404]],
  ["a body, then a request", body("Content-Length: 5", `hello${next}`), [200, 200, 404]],
  [
    "a chunked body that looks like a request",
    body("Transfer-Encoding: chunked", `${next.length.toString(16)}\r\n${next}\r\n0\r\n\r\n`),
    [200, 404],
  ],
  ["both framings", body("Content-Length: 5", `0\r\n\r\n${next}`, "Transfer-Encoding: chunked"), [400]],
  ["both framings, swapped", body("Transfer-Encoding: chunked", `0\r\n\r\n${next}`, "Content-Length: 5"), [400]],
  ["two lengths", body("Content-Length: 5", `hello${next}`, "Content-Length: 0"), [400]],
  ["a list of lengths", body("Content-Length: 5, 5", `hello${next}`), [400]],
  ["a signed length", body("Content-Length: +5", `hello${next}`), [400]],
  ["a negative length", body("Content-Length: -1", next), [400]],
  ["a length in hex", body("Content-Length: 0x5", `hello${next}`), [400]],
  ["an unknown coding", body("Transfer-Encoding: xchunked", `0\r\n\r\n${next}`), [400]],
  ["chunked, but not last", body("Transfer-Encoding: chunked, identity", `0\r\n\r\n${next}`), [400]],
  ["a space before the colon", body("Transfer-Encoding : chunked", `0\r\n\r\n${next}`), [400]],
  ["a folded header", body("X-A: b\r\n Transfer-Encoding: chunked", next), [400]],
  ["a header that begins with a space", body(" Transfer-Encoding: chunked", next), [400]],
  ["a bare CR in a header", body("X-A: b\rTransfer-Encoding: chunked", next), [400]],
  ["a NUL in a header", body("X-A: b\0", next), [400]],
  ["a header without a colon", body("Transfer-Encoding chunked", next), [400]],
  [
    "a chunk that is too large to be true",
    body("Transfer-Encoding: chunked", `${"f".repeat(17)}\r\n${next}`),
    [200, 400],
  ],
  ["a chunk with a negative size", body("Transfer-Encoding: chunked", `-1\r\n${next}`), [200, 400]],
  [
    "a chunk that is longer than it says",
    body("Transfer-Encoding: chunked", `1\r\nabc\r\n0\r\n\r\n${next}`),
    [200, 400],
  ],
])("%s: every answer belongs to a request that was framed beyond doubt", async (_, text, expected) => {
  expect(await statuses(text)).toEqual([...expected]);
});

/** A request with a body, whose answer is 200. */
function body(framing: string, text: string, more?: string): string {
  return requestText("GET", "/healthz", ["Host: cache.test", framing, ...(more === undefined ? [] : [more])]) + text;
}

test("two Hosts name no registry between them", async () => {
  const answer = await ask(requestText("GET", "/v2/b/manifests/1", ["Host: registry.test", "Host: other.test"]));
  expect(answer.status).toBe(404);
});

test.each([
  ["a header block without end", `GET /healthz HTTP/1.1\r\nHost: h\r\nX-A: ${"a".repeat(40_000)}\r\n\r\n`],
  ["a thousand headers", `GET /healthz HTTP/1.1\r\nHost: h\r\n${"X-A: b\r\n".repeat(3000)}\r\n`],
  ["a target without end", `GET /v2/${"a".repeat(40_000)} HTTP/1.1\r\nHost: h\r\n\r\n`],
])("%s is refused", async (_, text) => {
  expect((await ask(text)).status).toBe(431);
});

test("half requests keep nobody from being answered", async () => {
  const half = await Promise.all(Array.from({ length: 300 }, () => RawConnection.open(port.port)));
  for (const connection of half) connection.send("GET /healthz HTTP/1.1\r\nHost: cache.te");
  const answers = await Promise.all(Array.from({ length: 20 }, () => rawAsk(port.port, "GET", "/healthz")));
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  half[0]?.send("st\r\n\r\n");
  expect((await half[0]?.answer())?.status).toBe(200);
  for (const connection of half) connection.close();
});
