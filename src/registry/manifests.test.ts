import { afterEach, beforeEach, expect, test } from "bun:test";
import { acceptManifests } from "../manifest/media-types.ts";
import type { Digest } from "../reference/digest.ts";
import type { Tag } from "../reference/repository.ts";
import type { UnavailableReason } from "./remote.ts";
import { clientOf } from "./testing/client.ts";
import { digestOf, manifestReply, repository, tag } from "./testing/content.ts";
import { hang, type ScriptedReply } from "./testing/scripted-reply.ts";
import { type ScriptedUpstream, startScriptedUpstream } from "./testing/scripted-upstream.ts";

let upstream: ScriptedUpstream;
beforeEach(() => {
  upstream = startScriptedUpstream();
});
afterEach(() => upstream.stop());

const name = repository("kube/pause");
const content = `{"schemaVersion":2,"layers":[]}`;
const right = digestOf(content);
const other = digestOf("other");
const oci = "application/vnd.oci.image.manifest.v1+json";

function pathOf(reference: Tag | Digest): string {
  return `/v2/kube/pause/manifests/${reference}`;
}

test("a manifest by tag comes with its bytes, digest and type, asked for in every type there is", async () => {
  const { registry, limits } = clientOf(upstream.url);
  upstream.on("GET", pathOf(tag("3.9")), manifestReply(content, `${oci}; charset=utf-8`));
  const answer = await registry.getManifest(name, tag("3.9"), limits);
  expect(answer).toEqual({ kind: "found", bytes: new TextEncoder().encode(content), digest: right, mediaType: oci });
  expect(upstream.requests[0]?.headers.get("accept")).toBe(acceptManifests);
  expect(await registry.headManifest(name, tag("3.9"), limits)).toEqual({
    kind: "found",
    digest: right,
    mediaType: oci,
    sizeBytes: content.length,
  });
  expect(upstream.requests[1]?.headers.get("accept")).toBe(acceptManifests);
});

test("an upstream's path stands before every name", async () => {
  const { registry, limits } = clientOf(upstream.url, { upstream: { path: "prod/images" } });
  upstream.on("GET", "/v2/prod/images/kube/pause/manifests/3.9", manifestReply(content));
  expect((await registry.getManifest(name, tag("3.9"), limits)).kind).toBe("found");
});

interface BodyCase {
  readonly reference: Tag | Digest;
  readonly reply: ScriptedReply;
  readonly expected: UnavailableReason | Digest;
}

const typed = { "Content-Type": oci };
const sha512 = digestOf(content, "sha512");

test.each<[string, BodyCase]>([
  ["the digest asked for", { reference: right, reply: { headers: typed, body: content }, expected: right }],
  ["a sha512 digest", { reference: sha512, reply: { headers: typed, body: content }, expected: sha512 }],
  ["a tag without a digest said", { reference: tag("a"), reply: { headers: typed, body: content }, expected: right }],
  [
    "a tag with a sha512 digest said",
    {
      reference: tag("a"),
      reply: { headers: { ...typed, "Docker-Content-Digest": sha512 }, body: content },
      expected: sha512,
    },
  ],
  [
    "a said digest of its own kind beside the asked one",
    {
      reference: right,
      reply: { headers: { ...typed, "Docker-Content-Digest": sha512 }, body: content },
      expected: right,
    },
  ],
  [
    "a said digest that is none",
    {
      reference: tag("a"),
      reply: { headers: { ...typed, "Docker-Content-Digest": "latest" }, body: content },
      expected: right,
    },
  ],
  [
    "other bytes than asked for",
    { reference: right, reply: { headers: typed, body: `${content} ` }, expected: "wrong-bytes" },
  ],
  ["no bytes", { reference: right, reply: { headers: typed, body: "" }, expected: "wrong-bytes" }],
  [
    "other bytes than said",
    {
      reference: tag("a"),
      reply: { headers: { ...typed, "Docker-Content-Digest": other }, body: content },
      expected: "wrong-bytes",
    },
  ],
  [
    "the bytes asked for, said to be others",
    {
      reference: right,
      reply: { headers: { ...typed, "Docker-Content-Digest": other }, body: content },
      expected: "wrong-bytes",
    },
  ],
  [
    "bytes beyond the announced length",
    {
      reference: right,
      reply: { headers: typed, body: `${content} and more`, length: content.length },
      expected: right,
    },
  ],
  [
    "a cut",
    { reference: right, reply: { headers: typed, body: content, cut: { at: 5, by: "fin" } }, expected: "unreachable" },
  ],
  [
    "a reset",
    { reference: right, reply: { headers: typed, body: content, cut: { at: 5, by: "rst" } }, expected: "unreachable" },
  ],
  [
    "a digest without a length, cut",
    {
      reference: right,
      reply: { headers: typed, body: content, length: "close", cut: { at: 5, by: "fin" } },
      expected: "wrong-bytes",
    },
  ],
  [
    "a tag without a length and a digest",
    { reference: tag("a"), reply: { headers: typed, body: content, length: "close" }, expected: "refused" },
  ],
  [
    "a chunked one",
    { reference: tag("a"), reply: { headers: typed, body: content, length: "chunked" }, expected: right },
  ],
  [
    "one that is too long",
    { reference: tag("a"), reply: { headers: typed, body: " ".repeat(4 * 1024 * 1024 + 1) }, expected: "refused" },
  ],
  [
    "a long one without a length",
    {
      reference: tag("a"),
      reply: { headers: typed, body: " ".repeat(4 * 1024 * 1024 + 1), length: "chunked" },
      expected: "refused",
    },
  ],
  [
    "a packed one",
    {
      reference: right,
      reply: { headers: { ...typed, "Content-Encoding": "gzip" }, body: Bun.gzipSync(content) },
      expected: "refused",
    },
  ],
  [
    "one that says it is packed as it is",
    {
      reference: right,
      reply: { headers: { ...typed, "Content-Encoding": "Identity" }, body: content },
      expected: right,
    },
  ],
  ["one without a type that is no manifest", { reference: tag("a"), reply: { body: "hello" }, expected: "refused" }],
])("a manifest that is %s", async (_, { reference, reply, expected }) => {
  const { registry, limits } = clientOf(upstream.url);
  upstream.on("GET", pathOf(reference), reply);
  const answer = await registry.getManifest(name, reference, limits);
  if (answer.kind === "found") expect(answer.digest).toBe(expected as Digest);
  else expect(answer).toMatchObject({ kind: "unavailable", reason: expected });
  if (answer.kind === "unavailable") expect(answer.message).toStartWith("GET of the manifest registry.test/kube/pause");
});

test.each([
  [`{"mediaType":"application/vnd.example+json"}`, "application/vnd.example+json"],
  [`{"manifests":[]}`, "application/vnd.oci.image.index.v1+json"],
  [`{"layers":[]}`, oci],
])("without a Content-Type the body %s says what it is", async (body, mediaType) => {
  const { registry, limits } = clientOf(upstream.url);
  upstream.on("GET", pathOf(tag("a")), { body });
  expect(await registry.getManifest(name, tag("a"), limits)).toMatchObject({ kind: "found", mediaType });
});

test.each<[number, Record<string, string>, object]>([
  [200, {}, { kind: "found", digest: undefined }],
  [200, { "Docker-Content-Digest": "nonsense" }, { kind: "found", digest: undefined }],
  [200, { "Docker-Content-Digest": right }, { kind: "found", digest: right }],
  [405, {}, { kind: "found", digest: undefined }],
  [501, {}, { kind: "found", digest: undefined }],
  [404, {}, { kind: "absent" }],
  [410, {}, { kind: "absent" }],
  [401, {}, { kind: "unavailable", reason: "denied", status: 401 }],
  [403, {}, { kind: "unavailable", reason: "denied", status: 403 }],
  [408, {}, { kind: "unavailable", reason: "failed", status: 408 }],
  [429, {}, { kind: "unavailable", reason: "rate-limited", retryAfterMs: 10_000 }],
  [429, { "Retry-After": "7" }, { kind: "unavailable", reason: "rate-limited", retryAfterMs: 7000 }],
  [400, {}, { kind: "unavailable", reason: "failed", status: 400 }],
  [204, {}, { kind: "unavailable", reason: "failed", status: 204 }],
  [500, {}, { kind: "unavailable", reason: "failed", status: 500 }],
  [503, { "Retry-After": "7" }, { kind: "unavailable", reason: "failed", retryAfterMs: 7000 }],
  [304, {}, { kind: "unavailable", reason: "failed", status: 304 }],
  [302, {}, { kind: "unavailable", reason: "refused" }],
])("a HEAD that is answered %p %p", async (status, headers, expected) => {
  const { registry, limits } = clientOf(upstream.url);
  upstream.on("HEAD", pathOf(tag("a")), { status, headers });
  upstream.on("GET", pathOf(tag("a")), { status, headers });
  expect(await registry.headManifest(name, tag("a"), limits)).toMatchObject(expected);
  if (status !== 200 && status !== 405 && status !== 501) {
    const get = await clientOf(upstream.url).registry.getManifest(name, tag("a"), limits);
    expect(get).toMatchObject(expected);
  }
});

test.each([405, 501])(
  "a registry that answers HEAD with %d is asked by GET whether it has a digest",
  async (status) => {
    const { registry, limits } = clientOf(upstream.url);
    for (const digest of [right, other]) upstream.on("HEAD", pathOf(digest), { status });
    upstream.on("GET", pathOf(right), manifestReply(content));
    expect(await registry.headManifest(name, right, limits)).toEqual({
      kind: "found",
      digest: right,
      mediaType: oci,
      sizeBytes: content.length,
    });
    expect(await registry.headManifest(name, other, limits)).toEqual({ kind: "absent" });
  },
);

test("a HEAD of a digest and the GET that follows it share the time of one call", async () => {
  const { registry, clock, limits } = clientOf(upstream.url);
  upstream.on("HEAD", pathOf(right), () => {
    clock.advance(limits.timeoutMs - 1000);
    return { status: 405 };
  });
  upstream.on("GET", pathOf(right), () => {
    clock.advance(1000);
    return hang;
  });
  expect(await registry.headManifest(name, right, limits)).toMatchObject({ kind: "unavailable", reason: "timeout" });
});
