import { afterEach, beforeEach, expect, test } from "bun:test";
import { discard, readWhole } from "./body.ts";
import { createLatch } from "./testing/scripted-reply.ts";
import { type ScriptedUpstream, startScriptedUpstream } from "./testing/scripted-upstream.ts";

let upstream: ScriptedUpstream;
beforeEach(() => {
  upstream = startScriptedUpstream();
});
afterEach(() => upstream.stop());

const never = new AbortController().signal;

test.each([
  ["as long as allowed", { body: "0123456789" }, "0123456789"],
  ["chunked", { body: "0123456789", length: "chunked" }, "0123456789"],
  ["empty", { body: "" }, ""],
  [
    "announced short, but chunked and long",
    { body: "01234567890", length: "chunked", headers: { "Content-Length": "5" } },
    "refused",
  ],
  ["announced too long", { body: "01234567890" }, "refused"],
  ["chunked and too long", { body: "01234567890", length: "chunked" }, "refused"],
  ["without an end, and too long", { body: "01234567890", length: "close" }, "refused"],
  ["announced longer than it is", { body: "0123", length: 10, cut: { at: 4, by: "fin" } }, "unreachable"],
  ["cut by a reset", { body: "0123456789", cut: { at: 4, by: "rst" } }, "unreachable"],
  ["chunked and cut", { body: "0123456789", length: "chunked", cut: { at: 4, by: "fin" } }, "unreachable"],
] as const)("a body %s", async (_, reply, expected) => {
  upstream.on("GET", "/a", reply);
  const read = await readWhole(await fetch(`${upstream.url}/a`), {
    host: "registry.test",
    maxBytes: 10,
    signal: never,
  });
  expect(read.kind === "bytes" ? new TextDecoder().decode(read.bytes) : read.reason).toBe(expected);
  if (read.kind === "unavailable") expect(read.message).toContain("registry.test");
});

test("a body announced too long is not waited for", async () => {
  upstream.on("GET", "/a", { body: "01234567890", hold: { at: 0, until: createLatch().opened } });
  const read = await readWhole(await fetch(`${upstream.url}/a`), {
    host: "registry.test",
    maxBytes: 10,
    signal: never,
  });
  expect(read).toMatchObject({ reason: "refused" });
});

test("reading ends with the signal", async () => {
  upstream.on("GET", "/a", { body: "0123456789", hold: { at: 4, until: createLatch().opened } });
  const caller = new AbortController();
  const response = await fetch(`${upstream.url}/a`, { signal: caller.signal });
  const reading = readWhole(response, { host: "registry.test", maxBytes: 10, signal: caller.signal });
  caller.abort();
  expect(await reading).toMatchObject({ reason: "cancelled" });
});

test("a short body that nobody wants leaves its connection usable, a long one does not keep it", async () => {
  upstream.on("GET", "/short", { body: "x".repeat(1000) });
  // It never comes whole before it is let go of, however slow this machine is.
  upstream.on("GET", "/long", { body: "x".repeat(1_000_000), hold: { at: 500_000, until: createLatch().opened } });
  for (let i = 0; i < 2; i++) await discard(await fetch(`${upstream.url}/short`), never);
  expect(upstream.connections()).toBe(1);
  for (let i = 0; i < 2; i++) await discard(await fetch(`${upstream.url}/long`), never);
  expect(upstream.connections()).toBe(2);
});
