import { expect, test } from "bun:test";
import { referrersTag } from "../manifest/referrer-tags.ts";
import { parseHost } from "../reference/host.ts";
import { parseRepository } from "../reference/repository.ts";
import type { Answer, Page } from "../registry/remote.ts";
import type { WritableRegistry } from "../registry/writable.ts";
import { registryEnd } from "./registry-end.ts";
import { down } from "./testing/fake-registry.ts";
import { index, manifest } from "./testing/images.ts";

const limits = { signal: new AbortController().signal, timeoutMs: 1000 };
const referrer = manifest({ layers: [] });
const list = index([referrer.named]);
const subject = manifest({ layers: [], annotations: { is: "subject" } }).body.digest;

function page(document: unknown, nextQuery?: string): Answer<Page> {
  const bytes = new TextEncoder().encode(JSON.stringify(document));
  return { kind: "found", bytes, mediaType: "application/json", nextQuery, filtersApplied: undefined };
}

/** An end whose registry has only what a test gives it. */
function endOf(registry: Partial<WritableRegistry>): ReturnType<typeof registryEnd> {
  const absent = (): never => {
    throw new Error("not asked for");
  };
  const methods = ["headManifest", "getManifest", "headBlob", "getBlob", "listTags", "listReferrers", "pushBlob"];
  const rest = Object.fromEntries(methods.map((name) => [name, absent])) as unknown as WritableRegistry;
  return registryEnd({ ...rest, host: parseHost("a.example")!, ...registry }, parseRepository("x/y")!);
}

const pagesOf =
  (pages: Readonly<Record<string, Answer<Page>>>) =>
  async (query: string): Promise<Answer<Page>> =>
    pages[query] ?? { kind: "absent" };

test.each([
  [
    "pages are followed",
    { "n=1000": page({ tags: ["a", "b"] }, "last=b"), "last=b": page({ tags: ["c"] }) },
    ["a", "b", "c"],
  ],
  ["no tags may be null", { "n=1000": page({ name: "x/y", tags: null }) }, []],
  [
    "a page that is lost loses all",
    { "n=1000": page({ tags: ["a"] }, "last=a"), "last=a": down("failed", 502) },
    "failed",
  ],
  ["what is no list is refused", { "n=1000": page([]) }, "refused"],
  ["what is no tag is refused", { "n=1000": page({ tags: ["a", "no tag"] }) }, "refused"],
  ["pages without end are refused", { "n=1000": page({ tags: ["a"] }, "n=1000") }, "refused"],
])("tags: %s", async (_, pages, expected) => {
  const answer = await endOf({ listTags: (_repository, query) => pagesOf(pages)(query) }).listTags(limits);
  const said: unknown = answer.kind === "found" ? answer.tags : answer.kind === "unavailable" && answer.reason;
  expect(said).toEqual(expected);
});

test("a repository that is not there has no tags", async () => {
  expect(await endOf({ listTags: async () => ({ kind: "absent" }) }).listTags(limits)).toEqual({ kind: "absent" });
});

test.each([
  ["by the API", page({ schemaVersion: 2, manifests: [referrer.named] }), undefined, [referrer.body.digest]],
  ["by the tag where the API is not known", { kind: "absent" } as const, list, [referrer.body.digest]],
  ["by the tag where the path is not understood", down("failed", 400), list, [referrer.body.digest]],
  ["none where there is neither", { kind: "absent" } as const, undefined, "absent"],
  ["a tag that names no index is none", { kind: "absent" } as const, referrer, "absent"],
  ["not known while it is down", down("failed", 503), list, "unavailable"],
])("referrers: %s", async (_, api, tagged, expected) => {
  const end = endOf({
    listReferrers: async () => api,
    getManifest: async (_repository, reference) =>
      tagged !== undefined && reference === referrersTag(subject)
        ? { kind: "found", ...tagged.body }
        : { kind: "absent" },
  });
  const answer = await end.listReferrers(subject, limits);
  const said: unknown = answer.kind === "found" ? answer.referrers.map(({ digest }) => digest) : answer.kind;
  expect(said).toEqual(expected);
});

test("where the API is not known it is not asked again, and with the tags known nothing is", async () => {
  const asked: string[] = [];
  const end = endOf({
    listReferrers: async () => {
      asked.push("API");
      return { kind: "absent" };
    },
    getManifest: async (_repository, reference) => {
      asked.push(reference);
      return { kind: "found", ...list.body };
    },
  });
  const tag = referrersTag(subject);
  expect(await end.listReferrers(subject, limits, new Set())).toEqual({ kind: "absent" });
  expect(await end.listReferrers(subject, limits, new Set([tag]))).toMatchObject({ kind: "found" });
  expect(await end.listReferrers(subject, limits)).toMatchObject({ kind: "found" });
  expect(asked).toEqual(["API", tag, tag]);
});
