import { afterEach, beforeEach, expect, test } from "bun:test";
import { Failure } from "../errors/failure.ts";
import type { Clock } from "../registry/clock.ts";
import { createManualClock } from "../registry/testing/manual-clock.ts";
import { createLatch, hang, type ScriptedReply } from "../registry/testing/scripted-reply.ts";
import { type ScriptedUpstream, startScriptedUpstream } from "../registry/testing/scripted-upstream.ts";
import { bucketAt, exampleCredential } from "./testing/bucket-at.ts";

let store: ScriptedUpstream;
beforeEach(() => {
  store = startScriptedUpstream();
});
afterEach(() => store.stop());

const path = "/bucket/blobs/a";
const here: ScriptedReply = { headers: { "Content-Type": "text/plain" }, body: "hello" };

function error(status: number, code: string, headers: Readonly<Record<string, string>> = {}): ScriptedReply {
  return { status, headers, body: `<?xml version="1.0"?><Error><Code>${code}</Code></Error>` };
}

test.each<[string, ScriptedReply]>([
  ["SlowDown", error(503, "SlowDown")],
  ["InternalError", error(500, "InternalError")],
  ["RequestTimeout", error(400, "RequestTimeout")],
  ["502 without a body of a store", { status: 502, body: "<html>" }],
  ["a cut", { cut: { at: "head", by: "rst" } }],
  ["an error body that is cut", { ...error(500, "InternalError"), cut: { at: 10, by: "fin" } }],
])("%s is asked again, up to three times", async (_, reply) => {
  const { bucket, limits } = bucketAt(store.url);
  store.on("GET", "/bucket/", [reply, reply, reply, { body: "<ListBucketResult/>" }]);
  expect(await bucket.list({}, limits)).toMatchObject({ kind: "found", objects: [] });
  expect(store.count("GET", "/bucket/")).toBe(4);
});

test("what still fails then is the answer, with its code", async () => {
  const { bucket, limits } = bucketAt(store.url);
  store.on("GET", "/bucket/", error(503, "SlowDown"));
  expect(await bucket.list({}, limits)).toMatchObject({
    kind: "unavailable",
    reason: "failed",
    status: 503,
    message: `list of s3://bucket/blobs: ${store.authority} answered 503 SlowDown`,
  });
  expect(store.count("GET", "/bucket/")).toBe(4);
});

test.each<[string, ScriptedReply]>([
  ["AccessDenied", error(403, "AccessDenied")],
  ["NotImplemented", error(501, "NotImplemented")],
  ["a bad request", error(400, "InvalidArgument")],
])("%s is asked once", async (_, reply) => {
  const { bucket, limits } = bucketAt(store.url);
  store.on("GET", "/bucket/", reply);
  expect(await bucket.list({}, limits)).toMatchObject({ kind: "unavailable", status: reply.status });
  expect(store.count("GET", "/bucket/")).toBe(1);
});

/** Time that passes at once where somebody waits for exactly so long. */
function hurried(waitMs: number): Clock & { readonly waits: () => number } {
  const clock = createManualClock();
  let waits = 0;
  return {
    ...clock,
    schedule(delayMs, action) {
      if (delayMs !== waitMs) return clock.schedule(delayMs, action);
      waits += 1;
      queueMicrotask(action);
      return () => {};
    },
    waits: () => waits,
  };
}

test("Retry-After is waited for", async () => {
  const clock = hurried(7000);
  const { bucket, limits } = bucketAt(store.url, { clock });
  store.on("GET", path, [error(503, "SlowDown", { "Retry-After": "7" }), here]);
  expect(await bucket.head("a", limits)).toMatchObject({ kind: "found" });
  expect(clock.waits()).toBe(1);
});

test.each([
  ["longer than anybody waits", "31", 60_000],
  ["longer than there is time", "7", 6000],
])("a Retry-After that is %s comes back with the answer", async (_, seconds, timeoutMs) => {
  const { bucket, limits } = bucketAt(store.url);
  store.on("GET", "/bucket/", error(503, "SlowDown", { "Retry-After": seconds }));
  const answer = await bucket.list({}, { ...limits, timeoutMs });
  expect(answer).toMatchObject({ kind: "unavailable", retryAfterMs: Number(seconds) * 1000 });
  expect(store.count("GET", "/bucket/")).toBe(1);
});

test("an attempt that hangs is given up after 30 s and made again", async () => {
  const { bucket, clock, limits } = bucketAt(store.url);
  const asked = createLatch();
  store.on("GET", path, (_, nth) => {
    asked.open();
    return nth === 1 ? hang : here;
  });
  const answer = bucket.head("a", limits);
  await asked.opened;
  clock.advance(30_000);
  expect(await answer).toMatchObject({ kind: "found" });
});

test.each([
  ["its time is over", "timeout"],
  ["it is no longer wanted", "cancelled"],
])("a call that hangs ends when %s", async (_, reason) => {
  const { bucket, clock } = bucketAt(store.url);
  const caller = new AbortController();
  const asked = createLatch();
  store.on("GET", path, () => {
    asked.open();
    return hang;
  });
  const answer = bucket.head("a", { signal: caller.signal, timeoutMs: 5000 });
  await asked.opened;
  if (reason === "timeout") clock.advance(5000);
  else caller.abort();
  expect(await answer).toMatchObject({ kind: "unavailable", reason });
  expect(clock.pending()).toBe(0);
});

test("every attempt is signed anew, with keys as they are then", async () => {
  let given = 0;
  const credentials = () => Promise.resolve({ ...exampleCredential, accessKeyId: `KEY${++given}` });
  const { bucket, limits } = bucketAt(store.url, { credentials });
  store.on("GET", path, [{ status: 500 }, here]);
  await bucket.head("a", limits);
  const keys = store.requests.map(({ headers }) => /Credential=(\w+)\//.exec(headers.get("authorization") ?? "")?.[1]);
  expect(keys).toEqual(["KEY1", "KEY2"]);
});

test("without a credential nothing is signed", async () => {
  const { bucket, limits } = bucketAt(store.url, { credentials: () => Promise.resolve(undefined) });
  store.on("GET", path, here);
  expect(await bucket.head("a", limits)).toMatchObject({ kind: "found" });
  expect(
    [...(store.requests[0]?.headers.keys() ?? [])].filter((name) => /^authorization|^x-amz-date/.test(name)),
  ).toEqual([]);
});

test("a credential that cannot be read is an answer that says why, and nothing is asked", async () => {
  const failure = new Failure({ code: "CONFIG_INVALID", message: "/keys cannot be read: permission denied" });
  const { bucket, limits } = bucketAt(store.url, { credentials: () => Promise.reject(failure) });
  expect(await bucket.head("a", limits)).toMatchObject({
    reason: "denied",
    message: "HEAD of s3://bucket/blobs/a: /keys cannot be read: permission denied",
  });
  expect(await bucket.presignGet("a", 60)).toMatchObject({ kind: "unavailable", reason: "denied" });
  expect(store.requests).toHaveLength(0);
});

test.each<[string, ScriptedReply]>([
  ["no XML", { body: "hello" }],
  [
    "entities of its own",
    { body: `<!DOCTYPE l [<!ENTITY a "ha">]><ListBucketResult><Name>&a;</Name></ListBucketResult>` },
  ],
  ["another document", { body: "<DeleteResult/>" }],
  ["more than a page", { body: `<ListBucketResult>${" ".repeat(8 * 1024 * 1024)}</ListBucketResult>` }],
  ["more than a page, unannounced", { body: " ".repeat(9 * 1024 * 1024), length: "chunked" }],
])("a list that is %s is refused", async (_, reply) => {
  const { bucket, limits } = bucketAt(store.url);
  store.on("GET", "/bucket/", reply);
  expect(await bucket.list({}, limits)).toMatchObject({ kind: "unavailable", reason: "refused" });
});

test("a store that is down is not asked for a while by those who read", async () => {
  const { bucket, limits } = bucketAt(store.url);
  store.on("GET", path, { status: 500 });
  for (let i = 0; i < 3; i++) await bucket.head("a", limits);
  expect(await bucket.head("a", limits)).toMatchObject({ reason: "breaker-open" });
  expect(store.count("HEAD", path)).toBe(5);
});

test.each([
  ["plain HTTP elsewhere", { endpoint: "http://store.test" }, "plain HTTP"],
  ["a private address that nobody configured", { mayBePrivate: false }, "no address that may be connected to"],
])("%s is refused before anything is sent", async (_, settings, message) => {
  const { bucket, limits } = bucketAt(store.url, { settings });
  const answer = await bucket.head("a", limits);
  expect(answer).toMatchObject({ kind: "unavailable", reason: "refused" });
  expect(JSON.stringify(answer)).toContain(message);
  expect(store.requests).toHaveLength(0);
});

test("no answer and no message holds a secret", async () => {
  const credential = { ...exampleCredential, sessionToken: "TOKENTOKEN" };
  const { bucket, limits } = bucketAt(store.url, { credentials: () => Promise.resolve(credential) });
  const echo = (body: string): string =>
    `<Error><Code>SignatureDoesNotMatch</Code><StringToSign>${body}</StringToSign></Error>`;
  store.on("GET", "/bucket/", ({ headers }) => ({
    status: 403,
    body: echo(`${headers.get("authorization")} ${headers.get("x-amz-security-token")}`),
  }));
  const text = JSON.stringify([await bucket.list({}, limits), await bucket.head("b", limits)]);
  expect(text).toContain("SignatureDoesNotMatch");
  expect(text).not.toContain("TOKENTOKEN");
  expect(text).not.toContain("AKIA");
  expect(text).not.toContain("Signature=");
});
