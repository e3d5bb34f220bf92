import { afterEach, expect, test } from "bun:test";
import { createLatch, hang } from "./scripted-reply.ts";
import { startScriptedUpstream, type ScriptedUpstream } from "./scripted-upstream.ts";

let upstream: ScriptedUpstream;
afterEach(() => upstream.stop());

function start(): ScriptedUpstream {
  upstream = startScriptedUpstream();
  return upstream;
}

test("it answers by route and method, counts, and remembers every header and body", async () => {
  start().on("GET", "/a", { status: 201, headers: { "X-Mark": "1" }, body: "hello" });
  upstream.on("POST", "/a", (request) => ({ body: request.body.toUpperCase() }));
  const got = await fetch(`${upstream.url}/a?q=1`, { headers: { "X-Sent": "yes" } });
  expect([got.status, got.headers.get("x-mark"), await got.text()]).toEqual([201, "1", "hello"]);
  expect(await (await fetch(`${upstream.url}/a`, { method: "POST", body: "form" })).text()).toBe("FORM");
  const head = await fetch(`${upstream.url}/a`, { method: "HEAD" });
  expect([head.status, head.headers.get("content-length")]).toEqual([201, "5"]);
  expect((await fetch(`${upstream.url}/b`)).status).toBe(404);
  expect([upstream.count("GET", "/a"), upstream.count("POST", "/a"), upstream.count("HEAD", "/a")]).toEqual([1, 1, 1]);
  expect(upstream.requests[0]?.headers.get("x-sent")).toBe("yes");
  expect(upstream.requests[0]?.target).toBe("/a?q=1");
});

test("a sequence is answered in turn and its last reply repeats", async () => {
  start().on("GET", "/a", [{ status: 500 }, { status: 503 }, { status: 200 }]);
  const statuses: number[] = [];
  for (let i = 0; i < 4; i++) statuses.push((await fetch(`${upstream.url}/a`)).status);
  expect(statuses).toEqual([500, 503, 200, 200]);
});

test.each(["fin", "rst"] as const)("a body cut by %s is an error for who reads it", async (by) => {
  start().on("GET", "/a", { body: "0123456789", cut: { at: 4, by } });
  const response = await fetch(`${upstream.url}/a`);
  expect(response.headers.get("content-length")).toBe("10");
  expect(await response.bytes().catch(() => "broken")).toBe("broken");
});

test.each(["fin", "rst"] as const)("a cut before the head by %s leaves the client without an answer", async (by) => {
  start().on("GET", "/a", { cut: { at: "head", by } });
  expect(await fetch(`${upstream.url}/a`).catch(() => "no answer")).toBe("no answer");
});

test.each([
  ["chunked", "abc"],
  ["close", "abc"],
  [2, "ab"],
] as const)("a body announced as %p reads as %p", async (length, text) => {
  start().on("GET", "/a", { body: "abc", length });
  expect(await (await fetch(`${upstream.url}/a`)).text()).toBe(text);
});

test("a body is held at a byte until its latch opens", async () => {
  const latch = createLatch();
  start().on("GET", "/a", { body: "0123456789", hold: { at: 4, until: latch.opened } });
  const reader = (await fetch(`${upstream.url}/a`)).body?.getReader();
  const first = await reader?.read();
  expect(new TextDecoder().decode(first?.value)).toBe("0123");
  latch.open();
  expect(new TextDecoder().decode((await reader?.read())?.value)).toBe("456789");
});

test.each(["fin", "rst"] as const)(
  "a request is cut by %s at a byte of its body, and recorded as far as it came",
  async (by) => {
    start().take("PUT", [{ kind: "cut", atBytes: 5, by }, "whole"]);
    upstream.on("PUT", "/a", { status: 201 });
    expect(await fetch(`${upstream.url}/a`, { method: "PUT", body: "0123456789" }).catch(() => "cut")).toBe("cut");
    expect((await fetch(`${upstream.url}/a`, { method: "PUT", body: "0123456789" })).status).toBe(201);
    expect(upstream.requests.map(({ body }) => body)).toEqual(["01234", "0123456789"]);
  },
);

test("a request is answered before its body is there", async () => {
  start().take("PUT", [{ kind: "answer", atBytes: 0 }]);
  upstream.on("PUT", "/a", { status: 413 });
  const body = new ReadableStream({ pull: () => new Promise<void>(() => {}) });
  const headers = { "Content-Length": "10" };
  expect((await fetch(`${upstream.url}/a`, { method: "PUT", body, headers })).status).toBe(413);
});

test("a hung reply ends by the client's own signal only", async () => {
  start().on("GET", "/a", hang);
  const controller = new AbortController();
  const pending = fetch(`${upstream.url}/a`, { signal: controller.signal });
  const enough = new Error("enough");
  controller.abort(enough);
  expect(await pending.catch((error: unknown) => error)).toBe(enough);
});

test("a large body passes a slow reader whole", async () => {
  start().on("GET", "/a", { body: new Uint8Array(8 * 1024 * 1024).fill(7) });
  let sizeBytes = 0;
  for await (const chunk of (await fetch(`${upstream.url}/a`)).body ?? []) sizeBytes += chunk.byteLength;
  expect(sizeBytes).toBe(8 * 1024 * 1024);
});
