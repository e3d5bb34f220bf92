import { afterEach, beforeEach, expect, test } from "bun:test";
import { clientOf } from "./testing/client.ts";
import { digestOf, repository, tag } from "./testing/content.ts";
import type { Script, ScriptedReply } from "./testing/scripted-reply.ts";
import { type ScriptedUpstream, startScriptedUpstream } from "./testing/scripted-upstream.ts";
import { issueTokens } from "./testing/token-issuer.ts";
import type { ManifestToPush } from "./writable.ts";

let upstream: ScriptedUpstream;
beforeEach(() => {
  upstream = startScriptedUpstream();
});
afterEach(() => upstream.stop());

const name = repository("kube/pause");
const text = `{ "schemaVersion": 2,\n "layers": [] }`;
const mediaType = "application/vnd.oci.image.manifest.v1+json";
const manifest: ManifestToPush = { bytes: new TextEncoder().encode(text), mediaType, digest: digestOf(text) };
const subject = digestOf("subject");
const path = "/v2/kube/pause/manifests/3.9";
const unknown = { status: 404, body: `{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"blob unknown"}]}` };

test.each<[string, Script, object, number]>([
  ["is taken", { status: 201 }, { kind: "found", subject: undefined }, 1],
  ["is listed for its subject", { status: 201, headers: { "OCI-Subject": subject } }, { kind: "found", subject }, 1],
  [
    "is known by its sha512",
    { status: 201, headers: { "Docker-Content-Digest": digestOf(text, "sha512") } },
    { kind: "found" },
    1,
  ],
  ["is taken for another", { status: 201, headers: { "Docker-Content-Digest": subject } }, { reason: "refused" }, 1],
  ["lacks a blob", unknown, { reason: "failed", status: 404, code: "MANIFEST_BLOB_UNKNOWN" }, 1],
  ["is too large", { status: 413 }, { reason: "failed", status: 413 }, 1],
  ["is refused", { status: 403 }, { reason: "denied", status: 403 }, 1],
  ["is taken at the second time", [{ status: 502 }, { status: 201 }], { kind: "found" }, 2],
  ["is taken after a lost connection", [{ cut: { at: "head", by: "rst" } }, { status: 201 }], { kind: "found" }, 2],
])("a manifest that %s", async (_, script, expected, asked) => {
  const { registry, limits } = clientOf(upstream.url);
  upstream.on("PUT", path, script);
  expect(await registry.putManifest(name, tag("3.9"), manifest, limits)).toMatchObject(expected);
  expect(upstream.requests.length).toBe(asked);
  for (const request of upstream.requests) {
    expect([request.body, request.headers.get("content-type")]).toEqual([text, mediaType]);
  }
});

test("the message says what was pushed and what the registry said of it", async () => {
  const { registry, limits } = clientOf(upstream.url);
  upstream.on("PUT", path, unknown);
  const answer = await registry.putManifest(name, tag("3.9"), manifest, limits);
  expect(answer.kind === "unavailable" ? answer.message : "").toBe(
    `PUT of the manifest registry.test/kube/pause:3.9: ${upstream.authority} answered 404 (MANIFEST_BLOB_UNKNOWN: blob unknown)`,
  );
});

const unsupported = `{"errors":[{"code":"UNSUPPORTED","message":"the operation is unsupported"}]}`;

test.each<[string, Script, object]>([
  ["202", { status: 202 }, { kind: "found" }],
  ["204", { status: 204 }, { kind: "found" }],
  ["404", { status: 404 }, { kind: "absent" }],
  ["405", { status: 405, body: unsupported }, { reason: "failed", status: 405, code: "UNSUPPORTED" }],
  ["400", { status: 400, body: unsupported }, { reason: "failed", status: 400, code: "UNSUPPORTED" }],
  ["403", { status: 403 }, { reason: "denied", status: 403 }],
])("a deletion that is answered with %s", async (_, script, expected) => {
  const { registry, limits } = clientOf(upstream.url);
  for (const reference of [tag("3.9"), manifest.digest]) {
    upstream.on("DELETE", `/v2/kube/pause/manifests/${reference}`, script);
    expect(await registry.deleteManifest(name, reference, limits)).toMatchObject(expected);
  }
  expect(upstream.requests.length).toBe(2);
});

test.each<[number, string, number]>([
  [307, "/v2/kube/pause/elsewhere", 1],
  [308, "/v2/kube/pause/elsewhere", 1],
  [301, "/v2/kube/pause/elsewhere", 0],
  [302, "/v2/kube/pause/elsewhere", 0],
  [307, "https://public.test/x", 0],
])("a PUT that is answered with the redirect %p to %s is followed %p times", async (status, location, followed) => {
  const { registry, limits } = clientOf(upstream.url);
  upstream.on("PUT", path, { status, headers: { Location: location } });
  upstream.on("PUT", "/v2/kube/pause/elsewhere", { status: 201 });
  const answer = await registry.putManifest(name, tag("3.9"), manifest, limits);
  expect(answer).toMatchObject(followed === 1 ? { kind: "found" } : { reason: "refused" });
  expect(upstream.count("PUT", "/v2/kube/pause/elsewhere")).toBe(followed);
  if (followed === 1) expect(upstream.requests[1]?.body).toBe(text);
});

test.each<[string, ScriptedReply, object]>([
  [
    "a page and the next",
    { headers: { Link: `</v2/_catalog?last=b&n=2>; rel="next"` }, body: `{"repositories":["a","b"]}` },
    { kind: "found", nextQuery: "last=b&n=2" },
  ],
  ["nothing", { status: 404 }, { kind: "absent" }],
  ["a refusal", { status: 401 }, { reason: "denied" }],
])("the list of repositories is answered with %s", async (_, reply, expected) => {
  const { registry, limits } = clientOf(upstream.url);
  upstream.on("GET", "/v2/_catalog", reply);
  expect(await registry.listRepositories("n=2", limits)).toMatchObject(expected);
  expect(upstream.requests[0]?.target).toBe("/v2/_catalog?n=2");
});

test("each of them asks for the scope that it needs", async () => {
  const issuer = issueTokens(upstream, `${upstream.url}/token`);
  const { registry, limits } = clientOf(upstream.url, { upstream: { path: "prod" } });
  const prod = "/v2/prod/kube/pause/manifests/3.9";
  upstream.on("PUT", prod, issuer.protect({ status: 201 }));
  upstream.on("DELETE", prod, issuer.protect({ status: 202 }));
  upstream.on("GET", "/v2/_catalog", issuer.protect({ body: "{}" }));
  await registry.putManifest(name, tag("3.9"), manifest, limits);
  await registry.deleteManifest(name, tag("3.9"), limits);
  await registry.listRepositories("", limits);
  const asked = upstream.requests.filter((request) => request.path === "/token");
  expect(asked.map(({ target }) => new URL(target, upstream.url).searchParams.get("scope"))).toEqual([
    "repository:prod/kube/pause:pull,push",
    "repository:prod/kube/pause:delete",
    "registry:catalog:*",
  ]);
});
