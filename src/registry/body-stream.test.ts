import { afterEach, beforeEach, expect, test } from "bun:test";
import { getEventListeners } from "node:events";
import { Failure } from "../errors/failure.ts";
import { streamBody } from "./body-stream.ts";
import { createManualClock, type ManualClock } from "./testing/manual-clock.ts";
import { createLatch, type ScriptedReply } from "./testing/scripted-reply.ts";
import { type ScriptedUpstream, startScriptedUpstream } from "./testing/scripted-upstream.ts";

let upstream: ScriptedUpstream;
let clock: ManualClock;
let caller: AbortController;
let ends: number;
beforeEach(() => {
  upstream = startScriptedUpstream();
  clock = createManualClock();
  caller = new AbortController();
  ends = 0;
});
afterEach(() => upstream.stop());

async function open(reply: ScriptedReply): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  upstream.on("GET", "/a", reply);
  const response = await fetch(`${upstream.url}/a`, { signal: caller.signal });
  if (response.body === null) throw new Error("a body was expected");
  const onEnd = (): void => void (ends += 1);
  return streamBody(response.body, { host: "registry.test", clock, signal: caller.signal, idleMs: 15_000, onEnd });
}

async function failureOf(reading: Promise<unknown>): Promise<Failure> {
  const error = await reading.catch((error: unknown) => error);
  if (error instanceof Failure) return error;
  throw new Error("a failure was expected");
}

test("bytes pass as they are, and the end is told once", async () => {
  const body = crypto.getRandomValues(new Uint8Array(60_000));
  const stream = await open({ body });
  const listeners = getEventListeners(caller.signal, "abort").length - 1;
  expect([ends, listeners >= 0]).toEqual([0, true]);
  expect(await new Response(stream).bytes()).toEqual(body);
  expect([ends, clock.pending()]).toEqual([1, 0]);
  expect(getEventListeners(caller.signal, "abort").length).toBeLessThanOrEqual(listeners);
});

test.each(["fin", "rst"] as const)("a cut by %s is a failure that names the host", async (by) => {
  const stream = await open({ body: "0123456789", cut: { at: 4, by } });
  const failure = await failureOf(new Response(stream).bytes());
  expect(failure.code).toBe("UPSTREAM_FAILED");
  expect(failure.message).toContain("registry.test");
  expect([ends, clock.pending()]).toEqual([1, 0]);
});

test("a stall is a failure once a reader has waited too long, and not while nobody reads", async () => {
  const stream = await open({ body: "0123456789", hold: { at: 4, until: createLatch().opened } });
  const reader = stream.getReader();
  expect((await reader.read()).value?.byteLength).toBe(4);
  clock.advance(60_000);
  expect(ends).toBe(0);
  const waiting = reader.read();
  await new Promise((resolve) => setImmediate(resolve));
  clock.advance(14_999);
  expect(ends).toBe(0);
  clock.advance(1);
  expect((await failureOf(waiting)).code).toBe("UPSTREAM_TIMEOUT");
  expect([ends, clock.pending()]).toEqual([1, 0]);
});

test("a reader that cancels ends it", async () => {
  const stream = await open({ body: "0123456789", hold: { at: 4, until: createLatch().opened } });
  const reader = stream.getReader();
  await reader.read();
  await reader.cancel();
  expect([ends, clock.pending()]).toEqual([1, 0]);
});

test("the caller's signal ends it, read or not", async () => {
  const stream = await open({ body: "0123456789", hold: { at: 4, until: createLatch().opened } });
  caller.abort();
  expect(ends).toBe(1);
  expect((await failureOf(new Response(stream).bytes())).code).toBe("UPSTREAM_FAILED");
  const late = new Response("x").body;
  if (late === null) throw new Error("a body was expected");
  streamBody(late, { host: "h", clock, signal: caller.signal, idleMs: 1, onEnd: () => void (ends += 1) });
  expect(ends).toBe(2);
});

test("nothing is read ahead of the reader", async () => {
  let pulls = 0;
  const source = new ReadableStream<Uint8Array<ArrayBuffer>>(
    { pull: (controller) => (pulls++, controller.enqueue(new Uint8Array(1))) },
    { highWaterMark: 0 },
  );
  const onEnd = (): void => {};
  const stream = streamBody(source, { host: "h", clock, signal: caller.signal, idleMs: 1000, onEnd });
  await Promise.resolve();
  expect(pulls).toBe(0);
  await stream.getReader().read();
  expect(pulls).toBe(1);
});
