import { afterEach, beforeEach, expect, test } from "bun:test";
import type { ScriptedReply } from "../registry/testing/scripted-reply.ts";
import { type ScriptedUpstream, startScriptedUpstream } from "../registry/testing/scripted-upstream.ts";
import { listPages } from "./list.ts";
import { bucketAt } from "./testing/bucket-at.ts";

let store: ScriptedUpstream;
beforeEach(() => {
  store = startScriptedUpstream();
});
afterEach(() => store.stop());

const path = "/bucket/";

function contents(key: string, size: string | number = 5): string {
  return `<Contents><Key>${key}</Key><LastModified>2026-01-02T03:04:05.678Z</LastModified><Size>${size}</Size></Contents>`;
}

function page(inner: string, next?: string): ScriptedReply {
  const more =
    next === undefined ? "false" : `true</IsTruncated><NextContinuationToken>${next}</NextContinuationToken><X>`;
  const end = next === undefined ? "</IsTruncated>" : "</X>";
  return { body: `<ListBucketResult><IsTruncated>${more}${end}${inner}</ListBucketResult>` };
}

const encoded = "<EncodingType>url</EncodingType>";

test.each([
  ["plain", contents("blobs/a&amp;b"), "a&b"],
  ["encoded", encoded + contents("blobs/a%26b+c%0A%2B"), "a&b c\n+"],
])("keys that are %s are read without the prefix", async (_, inner, key) => {
  const { bucket, limits } = bucketAt(store.url);
  store.on("GET", path, page(inner));
  const answer: unknown = await bucket.list({}, limits);
  const object = { key, sizeBytes: 5, modifiedEpochMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678) };
  expect(answer).toEqual({ kind: "found", objects: [object], next: undefined });
});

test.each([
  [{}, "list-type=2&encoding-type=url&max-keys=1000&prefix=blobs%2F"],
  [{ prefix: "sha256:a", maxKeys: 10 }, "list-type=2&encoding-type=url&max-keys=10&prefix=blobs%2Fsha256%3Aa"],
  [
    { continuation: "a/b+c=", maxKeys: 5000 },
    "list-type=2&encoding-type=url&max-keys=1000&prefix=blobs%2F&continuation-token=a%2Fb%2Bc%3D",
  ],
])("%j asks for %s", async (question, query) => {
  const { bucket, limits } = bucketAt(store.url);
  store.on("GET", path, page(""));
  await bucket.list(question, limits);
  expect(store.requests[0]?.target).toBe(`${path}?${query}`);
});

test.each([
  ["a key outside the prefix", page(contents("other/a"))],
  ["a key outside of what was asked", page(contents("blobs/b"))],
  ["a size that is none", page(contents("blobs/a", "-1"))],
  ["a key that is not encoded as it says", page(encoded + contents("blobs/a%zz"))],
  ["no key", page("<Contents><Size>1</Size></Contents>")],
  ["1001 objects", page(contents("blobs/a").repeat(1001))],
  ["a next page that is this one", page(contents("blobs/a"), "same")],
  ["a next page without a name", page(contents("blobs/a"), "")],
])("a page with %s is refused", async (_, reply) => {
  const { bucket, limits } = bucketAt(store.url);
  store.on("GET", path, reply);
  const answer = await bucket.list({ prefix: "a", continuation: "same" }, limits);
  expect(answer).toMatchObject({ kind: "unavailable", reason: "refused" });
});

async function all(reply: (nth: number) => ScriptedReply, maxObjects: number): Promise<readonly unknown[]> {
  const { bucket, limits } = bucketAt(store.url);
  store.on("GET", path, (_, nth) => reply(nth));
  const seen: unknown[] = [];
  for await (const found of listPages(bucket, { maxObjects }, limits)) {
    if (found.kind === "found") seen.push(...found.objects.map(({ key }) => key));
    else seen.push(found.reason);
  }
  return seen;
}

test("all pages of a list", async () => {
  const reply = (nth: number) => page(contents(`blobs/${nth}`), nth < 3 ? `next${nth}` : undefined);
  expect(await all(reply, 3)).toEqual(["1", "2", "3"]);
  expect(store.requests.map(({ target }) => /token=(.*)$/.exec(target)?.[1])).toEqual([undefined, "next1", "next2"]);
});

test("a list without an end is refused at its bound", async () => {
  expect(await all((nth) => page(contents(`blobs/${nth}`), `next${nth}`), 3)).toEqual(["1", "2", "3", "refused"]);
});

test("a list of empty pages without an end is refused too", async () => {
  expect(await all((nth) => page("", `next${nth}`), 3)).toEqual(["refused"]);
  expect(store.count("GET", path)).toBe(101);
});

test("a list ends with the page that could not be had", async () => {
  const reply = (nth: number): ScriptedReply => (nth === 1 ? page(contents("blobs/1"), "next") : { status: 403 });
  expect(await all(reply, 3)).toEqual(["1", "denied"]);
});
