import { afterEach, beforeEach, expect, test } from "bun:test";
import { clientOf } from "./testing/client.ts";
import { digestOf, repository } from "./testing/content.ts";
import type { ScriptedReply } from "./testing/scripted-reply.ts";
import { type ScriptedUpstream, startScriptedUpstream } from "./testing/scripted-upstream.ts";

let upstream: ScriptedUpstream;
beforeEach(() => {
  upstream = startScriptedUpstream();
});
afterEach(() => upstream.stop());

const name = repository("kube/pause");
const tags = "/v2/kube/pause/tags/list";
const subject = digestOf("subject");
const page = `{"name":"kube/pause","tags":["3.9"]}`;

test("a page of tags comes as it was written, with the query of the next one and nothing of its host", async () => {
  const { registry, limits } = clientOf(upstream.url);
  const link = `<https://evil.example/v2/kube/pause/tags/list?n=1&last=3.9>; rel="next"`;
  upstream.on("GET", tags, { headers: { "Content-Type": "application/json", Link: link }, body: page });
  expect(await registry.listTags(name, "n=1&last=3.8", limits)).toEqual({
    kind: "found",
    bytes: new TextEncoder().encode(page),
    mediaType: "application/json",
    nextQuery: "n=1&last=3.9",
    filtersApplied: undefined,
  });
  expect(upstream.requests[0]?.target).toBe(`${tags}?n=1&last=3.8`);
});

test("referrers are asked for with their query, and the filter that was applied is told", async () => {
  const { registry, limits } = clientOf(upstream.url);
  const mediaType = "application/vnd.oci.image.index.v1+json";
  const headers = { "Content-Type": mediaType, "OCI-Filters-Applied": "artifactType" };
  upstream.on("GET", `/v2/kube/pause/referrers/${subject}`, { headers, body: "{}" });
  const answer = await registry.listReferrers(name, subject, "artifactType=a%2Fb", limits);
  expect(answer).toMatchObject({ kind: "found", mediaType, filtersApplied: "artifactType", nextQuery: undefined });
  expect(upstream.requests[0]?.target).toEndWith("?artifactType=a%2Fb");
  expect(upstream.requests[0]?.headers.get("accept")).toContain(mediaType);
});

test.each<[string, ScriptedReply, object]>([
  ["a long page", { body: " ".repeat(4 * 1024 * 1024 + 1) }, { reason: "refused" }],
  ["an endless page", { body: " ".repeat(4 * 1024 * 1024 + 1), length: "chunked" }, { reason: "refused" }],
  [
    "a page as long as allowed",
    { body: " ".repeat(4 * 1024 * 1024) },
    { kind: "found", mediaType: "application/json" },
  ],
  ["a packed page", { headers: { "Content-Encoding": "br" }, body: "x" }, { reason: "refused" }],
  ["a cut page", { body: page, cut: { at: 3, by: "fin" } }, { reason: "unreachable" }],
  ["404", { status: 404, body: "{}" }, { kind: "absent" }],
  ["401", { status: 401 }, { reason: "denied" }],
  ["500", { status: 500 }, { reason: "failed" }],
])("%s", async (_, reply, expected) => {
  const { registry, limits } = clientOf(upstream.url);
  upstream.on("GET", tags, reply);
  expect(await registry.listTags(name, "", limits)).toMatchObject(expected);
});
