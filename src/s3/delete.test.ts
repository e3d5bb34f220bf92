import { afterEach, beforeEach, expect, test } from "bun:test";
import { type ScriptedUpstream, startScriptedUpstream } from "../registry/testing/scripted-upstream.ts";
import { bucketAt } from "./testing/bucket-at.ts";

let store: ScriptedUpstream;
beforeEach(() => {
  store = startScriptedUpstream();
});
afterEach(() => store.stop());

test.each([
  [{ status: 204 }, { kind: "deleted" }],
  [{ status: 200 }, { kind: "deleted" }],
  [{ status: 404, body: "<Error><Code>NoSuchKey</Code></Error>" }, { kind: "deleted" }],
  [
    { status: 404, body: "<Error><Code>NoSuchBucket</Code></Error>" },
    { kind: "unavailable", status: 404 },
  ],
  [{ status: 403 }, { kind: "unavailable", reason: "denied" }],
])("one object, answered with %j", async (reply, expected) => {
  const { bucket, limits } = bucketAt(store.url);
  store.on("DELETE", "/bucket/blobs/a", reply);
  expect(await bucket.delete(["a"], limits)).toMatchObject(expected);
});

test("many go in batches of 1000, with their hash and with keys as XML wants them", async () => {
  const { bucket, limits } = bucketAt(store.url);
  store.on("POST", "/bucket/", { body: "<DeleteResult/>" });
  const keys = Array.from({ length: 2001 }, (_, i) => `a&${i}`);
  expect(await bucket.delete(keys, limits)).toEqual({ kind: "deleted" });
  expect(store.requests.map(({ target }) => target)).toEqual(Array.from({ length: 3 }, () => "/bucket/?delete="));
  const bodies = store.requests.map(({ body }) => [...body.matchAll(/<Key>blobs\/a&amp;(\d+)<\/Key>/g)].length);
  expect(bodies).toEqual([1000, 1000, 1]);
  const [first] = store.requests;
  expect(first?.headers.get("content-md5")).toBe(
    new Bun.CryptoHasher("md5").update(first?.body ?? "").digest("base64"),
  );
  expect(first?.headers.get("x-amz-content-sha256")).toBe(
    new Bun.CryptoHasher("sha256").update(first?.body ?? "").digest("hex"),
  );
});

test.each([
  ["AccessDenied", "denied"],
  ["InternalError", "failed"],
])("what was not deleted for %s is said, and no more is tried", async (code, reason) => {
  const { bucket, limits } = bucketAt(store.url);
  const gone = "<Error><Key>blobs/x</Key><Code>NoSuchKey</Code></Error>";
  store.on("POST", "/bucket/", { body: `<DeleteResult>${gone}<Error><Code>${code}</Code></Error></DeleteResult>` });
  const answer = await bucket.delete(
    Array.from({ length: 1001 }, (_, i) => `a${i}`),
    limits,
  );
  expect(answer).toMatchObject({ kind: "unavailable", reason });
  expect(JSON.stringify(answer)).toContain(`did not delete 1 of them (${code})`);
  expect(store.requests).toHaveLength(1);
});

test("nothing to delete asks nothing", async () => {
  const { bucket, limits } = bucketAt(store.url);
  expect(await bucket.delete([], limits)).toEqual({ kind: "deleted" });
  expect(store.requests).toHaveLength(0);
});
