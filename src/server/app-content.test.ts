import { afterAll, beforeAll, expect, test } from "bun:test";
import { blobReplies, digestOf, manifestReply } from "../registry/testing/content.ts";
import { createLatch, type ScriptedReply } from "../registry/testing/scripted-reply.ts";
import { uniqueBlob } from "./testing/unique-blob.ts";
import { createWorld, settled, type World } from "./testing/world.ts";

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

const ranges: readonly [string, Record<string, string>, number, readonly [number, number]][] = [
  ["none", {}, 200, [0, 900_000]],
  ["the first bytes", { Range: "bytes=0-9" }, 206, [0, 10]],
  ["the last bytes", { Range: "bytes=-9" }, 206, [899_991, 900_000]],
  ["to the end", { Range: "bytes=899999-" }, 206, [899_999, 900_000]],
  ["past the end", { Range: "bytes=5-999999999" }, 206, [5, 900_000]],
  ["from past the end", { Range: "bytes=900000-" }, 416, [0, 0]],
  ["none of it", { Range: "bytes=-0" }, 416, [0, 0]],
  ["several", { Range: "bytes=0-1,4-5" }, 200, [0, 900_000]],
  ["of the same", { Range: "bytes=1-2", "If-Range": '"DIGEST"' }, 206, [1, 3]],
  ["of another", { Range: "bytes=1-2", "If-Range": '"other"' }, 200, [0, 900_000]],
  ["of the same weakly", { Range: "bytes=1-2", "If-Range": 'W/"DIGEST"' }, 200, [0, 900_000]],
  ["of a date", { Range: "bytes=1-2", "If-Range": "Sun, 22 Nov 2026 00:00:00 GMT" }, 200, [0, 900_000]],
];

for (const when of ["held", "cold", "on its way"]) {
  test.each(ranges)(`a range of a blob that is ${when}: %s`, async (_, headers, status, [from, to]) => {
    const { blob, digest, path } = uniqueBlob(900_000);
    const gate = createLatch();
    world.upstream.on("GET", `/v2/${path}`, (request, nth) =>
      when === "on its way" && nth === 1
        ? { body: blob, hold: { at: 300_000, until: gate.opened } }
        : blobReplies(blob)(request),
    );
    const first = when === "cold" ? undefined : await world.ask(`/v2/registry.test/${path}`);
    if (when === "held") await first?.bytes();
    if (when === "held") await settled(world.blobs);
    const withDigest = Object.entries(headers).map(([name, value]) => [name, value.replace("DIGEST", digest)]);
    const reply = await world.ask(`/v2/registry.test/${path}`, { headers: Object.fromEntries(withDigest) });
    gate.open();
    const body = await reply.bytes();
    if (when === "on its way") expect(digestOf((await first?.bytes()) ?? "")).toBe(digest);
    expect(reply.status).toBe(status);
    const said = status === 206 ? `bytes ${from}-${to - 1}/900000` : status === 416 ? "bytes */900000" : null;
    expect(reply.headers.get("content-range")).toBe(said);
    if (status === 416) return;
    expect(Bun.hash(body)).toBe(Bun.hash(blob.subarray(from, to)));
    expect(reply.headers.get("etag")).toBe(`"${digest}"`);
    expect(reply.headers.get("docker-content-digest")).toBe(digest);
    expect(reply.headers.get("accept-ranges")).toBe("bytes");
  });
}

test("a range far ahead of a download does not wait for it", async () => {
  const { blob: large, path: largePath } = uniqueBlob(9_000_000);
  const gate = createLatch();
  world.upstream.on("GET", `/v2/${largePath}`, (request) =>
    request.headers.has("range")
      ? blobReplies(large)(request)
      : { body: large, hold: { at: 500_000, until: gate.opened } },
  );
  const whole = await world.ask(`/v2/registry.test/${largePath}`);
  const far = await world.ask(`/v2/registry.test/${largePath}`, { headers: { Range: "bytes=8999990-8999999" } });
  expect([far.status, far.headers.get("content-range")]).toEqual([206, "bytes 8999990-8999999/9000000"]);
  expect(Buffer.from(await far.bytes()).equals(large.subarray(-10))).toBe(true);
  expect(world.upstream.requests.at(-1)?.headers.get("range")).toBe("bytes=8999990-8999999");
  gate.open();
  expect(digestOf(await whole.bytes())).toBe(digestOf(large));
  expect(world.upstream.count("GET", `/v2/${largePath}`)).toBe(2);
});

test.each(["", "0123"])("a small blob %p goes out whole, with its length", async (text) => {
  world.upstream.on("GET", `/v2/b/blobs/${digestOf(text)}`, { body: text });
  const reply = await world.ask(`/v2/registry.test/b/blobs/${digestOf(text)}`);
  expect([reply.status, await reply.text()]).toEqual([200, text]);
  await settled(world.blobs);
  expect(await (await world.ask(`/v2/registry.test/b/blobs/${digestOf(text)}`)).text()).toBe(text);
  expect(world.upstream.count("GET", `/v2/b/blobs/${digestOf(text)}`)).toBe(1);
});

test("sha512 is a digest as any other", async () => {
  const { blob } = uniqueBlob(900_000);
  const digest512 = digestOf(blob, "sha512");
  world.upstream.on("GET", `/v2/b/blobs/${digest512}`, blobReplies(blob));
  for (let i = 0; i < 2; i++) {
    const reply = await world.ask(`/v2/registry.test/b/blobs/${digest512}`);
    expect(digestOf(await reply.bytes(), "sha512")).toBe(digest512);
    await settled(world.blobs);
  }
  expect(world.upstream.count("GET", `/v2/b/blobs/${digest512}`)).toBe(1);
});

test("HEAD of what is cold says what the upstream says, and downloads nothing", async () => {
  const { blob, digest, path } = uniqueBlob(900_000);
  world.upstream.on("GET", `/v2/${path}`, { body: blob });
  world.upstream.on("GET", "/v2/b/manifests/head", manifestReply("{}"));
  const before = world.upstream.requests.length;
  const head = await world.ask(`/v2/registry.test/${path}`, { method: "HEAD" });
  expect([head.status, head.headers.get("content-length"), head.headers.get("docker-content-digest")]).toEqual([
    200,
    "900000",
    digest,
  ]);
  const manifest = await world.ask("/v2/registry.test/b/manifests/head", { method: "HEAD" });
  expect([manifest.status, manifest.headers.get("docker-content-digest")]).toEqual([200, digestOf("{}")]);
  expect(world.upstream.requests.slice(before).map(({ method }) => method)).toEqual(["HEAD", "HEAD"]);
});

function page(next?: string): ScriptedReply {
  const link: Record<string, string> = next === undefined ? {} : { Link: `<${next}>; rel="next"` };
  return { headers: { "Content-Type": "application/json", ...link }, body: `{"tags":["a"]}` };
}

test.each<[string, string, string | null, string]>([
  ["a path", "/v2/b/tags/list?n=1&last=a", "n=1&last=a", "registry.test/b"],
  ["a URL of its own", "http://internal.test:8080/v2/b/tags/list?last=a&n=1", "last=a&n=1", "registry.test/b"],
  ["another repository", "/v2/secret/tags/list?n=1&last=a", "n=1&last=a", "registry.test/b"],
  ["keys of its own", "/v2/b/tags/list?next_token=x&ns=evil.test", "next_token=x", "registry.test/b"],
  [
    "a way out of the header",
    "/v2/b/tags/list?last=a%3E%3B%20rel%3D%22x",
    "last=a%3E%3B+rel%3D%22x",
    "registry.test/b",
  ],
  ["nothing", "/v2/b/tags/list", null, "registry.test/b"],
])("the next page by Link to %s is asked for here", async (_, next, query, name) => {
  world.upstream.on("GET", "/v2/b/tags/list", page(next));
  const reply = await world.ask(`/v2/${name}/tags/list?n=1`);
  expect(await reply.text()).toBe(`{"tags":["a"]}`);
  expect(reply.headers.get("link")).toBe(query === null ? null : `</v2/${name}/tags/list?${query}>; rel="next"`);
});

test("ns is consumed, and kept in the way to the next page", async () => {
  world.upstream.on("GET", "/v2/b/tags/list", (request) =>
    request.target.includes("last") ? page() : page("/v2/b/tags/list?n=1&last=a"),
  );
  const before = world.upstream.requests.length;
  const first = await world.ask("/v2/b/tags/list?ns=registry.test&n=1");
  const [, next = ""] = /^<([^>]+)>/.exec(first.headers.get("link") ?? "") ?? [];
  expect(next).toBe("/v2/b/tags/list?n=1&last=a&ns=registry.test");
  const second = await world.ask(next);
  expect([second.status, second.headers.get("link")]).toEqual([200, null]);
  expect(world.upstream.requests.slice(before).map(({ target }) => target)).toEqual([
    "/v2/b/tags/list?n=1",
    "/v2/b/tags/list?n=1&last=a",
  ]);
});

test.each(["n=0", "n=-1", "n=1000000000", "n=x", `last=${"a".repeat(500)}`, "n=1&n=2", "last=%00%0d%0a"])(
  "an odd question for a list, %s, makes no odd answer (T20)",
  async (query) => {
    world.upstream.on("GET", "/v2/b/tags/list", page());
    const before = world.upstream.requests.length;
    const reply = await world.ask(`/v2/registry.test/b/tags/list?${query}`);
    expect(reply.status).toBe(200);
    for (const { target } of world.upstream.requests.slice(before))
      expect(target).toMatch(/^\/v2\/b\/tags\/list(\?[\w=&%+-]*)?$/);
  },
);

test("a list that is longer than any may be is no answer (T20, T21)", async () => {
  world.upstream.on("GET", "/v2/b/tags/list", {
    ...page(),
    body: Buffer.alloc(4 * 1024 * 1024 + 1, " "),
    length: "chunked",
  });
  expect((await world.ask("/v2/registry.test/b/tags/list")).status).toBe(502);
});

test("referrers are found by the API, or by the tag scheme where there is none", async () => {
  const { digest } = uniqueBlob(1);
  const index = `{"schemaVersion":2,"manifests":[],"annotations":{"a":"b"}}`;
  const type = "application/vnd.oci.image.index.v1+json";
  world.upstream.on("GET", `/v2/b/referrers/${digest}`, {
    headers: { "Content-Type": type, "OCI-Filters-Applied": "artifactType" },
    body: index,
  });
  const api = await world.ask(`/v2/b/referrers/${digest}?artifactType=x/y&ns=registry.test`);
  expect([api.status, api.headers.get("oci-filters-applied"), await api.text()]).toEqual([200, "artifactType", index]);
  expect(world.upstream.requests.at(-1)?.target).toBe(`/v2/b/referrers/${digest}?artifactType=x%2Fy`);
  world.upstream.on("GET", `/v2/c/manifests/${digest.replace(":", "-")}`, manifestReply(index, type));
  const scheme = await world.ask(`/v2/registry.test/c/referrers/${digest}`);
  expect([scheme.status, scheme.headers.get("content-type"), await scheme.text()]).toEqual([200, type, index]);
  const none = await world.ask(`/v2/registry.test/d/referrers/${digest}`);
  expect([none.status, ((await none.json()) as { manifests: unknown }).manifests]).toEqual([200, []]);
});

test.each(["text/html", "image/svg+xml", "application/xhtml+xml", "text/html; charset=utf-8"])(
  "what an upstream calls %s is not sent as something that a browser runs (T32)",
  async (type) => {
    const body = "<script>alert(1)</script>";
    world.upstream.on("GET", "/v2/b/manifests/1", manifestReply(body, type));
    world.upstream.on("GET", "/v2/b/tags/list", { headers: { "Content-Type": type }, body });
    for (const what of ["manifests/1", "tags/list"]) {
      const reply = await world.ask(`/v2/registry.test/b/${what}`);
      expect(reply.headers.get("content-type") ?? "").toMatch(/^application\/(octet-stream|json)$/);
    }
  },
);
