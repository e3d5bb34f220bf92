import { afterAll, beforeAll, expect, test } from "bun:test";
import { expiredCertificate, goodCertificate, wrongNameCertificate } from "../../registry/testing/certificates.ts";
import { blobReplies, digestOf, manifestReply, repository, tag } from "../../registry/testing/content.ts";
import { hang, type Script, type ScriptedReply } from "../../registry/testing/scripted-reply.ts";
import { startScriptedUpstream } from "../../registry/testing/scripted-upstream.ts";
import { issueTokens } from "../../registry/testing/token-issuer.ts";
import { uniqueBlob } from "../testing/unique-blob.ts";
import { createWorld, settled, until, type World, type WorldOptions } from "../testing/world.ts";

// Faults F1, F2, F4, F5, F6, F10, F11 and F12: an upstream that gives no word, or the wrong one.

const rules = [{ match: "*", serve: "cache", freshFor: "1s", serveStaleFor: "1h" }];
const good = manifestReply(`{"schemaVersion":2}`);
const path = "/v2/registry.test/b/manifests/1";

/** A world that holds the tag `b:1`, and a blob of it. */
async function holdingWorld(options: WorldOptions = {}): Promise<World & { readonly blobPath: string }> {
  const world = await createWorld({ config: { rules }, ...options });
  const held = uniqueBlob(1000);
  world.upstream.on("GET", "/v2/b/manifests/1", good);
  world.upstream.on("GET", `/v2/${held.path}`, blobReplies(held.blob));
  expect((await world.ask(path)).status).toBe(200);
  expect((await world.ask(`/v2/registry.test/${held.path}`)).status).toBe(200);
  await settled(world.blobs);
  return { ...world, blobPath: `/v2/registry.test/${held.path}` };
}

async function messageOf(reply: Response): Promise<string> {
  const body = (await reply.json()) as { errors: { message: string }[] };
  return body.errors[0]?.message ?? "";
}

const noWord: readonly [string, ScriptedReply, number][] = [
  ["401 without a challenge", { status: 401 }, 502],
  ["403", { status: 403 }, 502],
  ["408", { status: 408 }, 502],
  ["418", { status: 418 }, 502],
  ["429", { status: 429 }, 429],
  ["500", { status: 500 }, 502],
  ["502", { status: 502 }, 502],
  ["503", { status: 503 }, 502],
  ["504", { status: 504 }, 502],
  ["a redirect to nowhere", { status: 307 }, 502],
  ["a redirect to itself", { status: 307, headers: { Location: "/v2/b/manifests/1" } }, 502],
  ["the end of the connection", { cut: { at: "head", by: "fin" } }, 502],
  ["a reset", { cut: { at: "head", by: "rst" } }, 502],
];

test.each(noWord)(
  "%s is no word about a tag: what is held is served, and no GET follows (F1, F4, F5, F6)",
  async (_, reply) => {
    await using world = await holdingWorld();
    world.clock.advance(2000);
    world.upstream.on("GET", "/v2/b/manifests/1", reply);
    const gets = world.upstream.count("GET", "/v2/b/manifests/1");
    for (const method of ["GET", "HEAD"]) {
      const answer = await world.ask(path, { method });
      expect([method, answer.status, answer.headers.get("age")]).toEqual([method, 200, "2"]);
      expect(answer.headers.get("warning")).toMatch(/^299 - "stale: .*registry\.test/);
    }
    expect(world.upstream.count("HEAD", "/v2/b/manifests/1")).toBeGreaterThan(0);
    expect(world.upstream.count("GET", "/v2/b/manifests/1")).toBe(gets);
    expect((await world.ask(world.blobPath)).status).toBe(200);
    expect(JSON.parse(world.records.at(-2) ?? "")).toMatchObject({ origin: "stale", status: 200 });
  },
);

test.each(noWord)("%s is no word about what is not held either: it is never 404", async (_, reply, status) => {
  await using world = await createWorld();
  const cold = uniqueBlob(1000);
  for (const what of ["b/manifests/1", cold.path, "b/tags/list", `b/referrers/${cold.digest}`]) {
    world.upstream.on(
      "GET",
      `/v2/${what}`,
      reply.headers?.["Location"] === undefined ? reply : { ...reply, headers: { Location: `/v2/${what}` } },
    );
    const answer = await world.ask(`/v2/registry.test/${what}`);
    expect([what, answer.status]).toEqual([what, status]);
    expect(await messageOf(answer)).toContain("registry.test");
    world.clock.advance(10 * 60_000);
  }
});

test("an upstream that is not there is said at once; what is held is served (F1)", async () => {
  await using world = await holdingWorld();
  world.upstream.stop();
  expect((await world.ask(world.blobPath)).status).toBe(200);
  expect((await world.ask(path)).headers.has("warning")).toBe(false);
  world.clock.advance(2000);
  const stale = await world.ask(path);
  expect([stale.status, stale.headers.has("warning")]).toEqual([200, true]);
  const cold = await world.ask("/v2/registry.test/b/manifests/2");
  expect(cold.status).toBe(502);
  expect(await messageOf(cold)).toMatch(/registry\.test\/b:2.*refused the connection/);
  world.clock.advance(3_600_000);
  expect((await world.ask(path)).status).toBe(502);
});

test("an upstream that failed again and again is left alone for a while, and is asked again then (F1)", async () => {
  await using world = await createWorld();
  world.upstream.on("GET", "/v2/b/manifests/1", { cut: { at: "head", by: "rst" } });
  const asked = (): number => world.upstream.requests.length;
  for (let last = -1; last !== asked(); ) {
    last = asked();
    expect((await world.ask(path)).status).toBe(502);
  }
  const open = await world.ask(path);
  expect([open.status, open.headers.get("retry-after")]).toEqual([502, expect.stringMatching(/^[1-9]\d*$/)]);
  expect(asked()).toBeLessThan(12);
  world.upstream.on("GET", "/v2/b/manifests/1", good);
  world.clock.advance(Number(open.headers.get("retry-after")) * 1000);
  expect((await world.ask(path)).status).toBe(200);
});

test("a check that hangs is waited for one second, then the held answer goes out (F2)", async () => {
  await using world = await holdingWorld();
  world.clock.advance(2000);
  world.upstream.on("GET", "/v2/b/manifests/1", hang);
  const answers = Array.from({ length: 20 }, () => world.ask(path));
  await until(() => world.upstream.count("HEAD", "/v2/b/manifests/1") > 0, "the check begins");
  world.clock.advance(1000);
  for (const answer of await Promise.all(answers)) {
    expect(answer.status).toBe(200);
    expect(answer.headers.get("warning")).toContain("did not answer within 1000 ms");
  }
  expect(world.upstream.count("HEAD", "/v2/b/manifests/1")).toBe(1);
});

test("an upstream that hangs is given up after five seconds, for all who wait at once (F2)", async () => {
  await using world = await createWorld();
  const cold = uniqueBlob(1000);
  for (const what of ["b/manifests/1", cold.path, "b/tags/list"]) {
    world.upstream.on("GET", `/v2/${what}`, hang);
    const before = world.upstream.requests.length;
    const answers = Array.from({ length: 20 }, () => world.ask(`/v2/registry.test/${what}`));
    await until(() => world.upstream.requests.length > before, "it is asked");
    world.clock.advance(4999);
    expect(await Promise.race([...answers, new Promise((resolve) => setImmediate(resolve, "none yet"))])).toBe(
      "none yet",
    );
    world.clock.advance(1);
    for (const answer of await Promise.all(answers)) expect(answer.status).toBe(504);
    expect(world.upstream.requests.length).toBe(before + 1);
  }
});

test("an upstream that wants to be asked less is asked less, and says so to clients (F4)", async () => {
  await using world = await holdingWorld();
  world.upstream.on("GET", "/v2/b/manifests/2", { status: 429, headers: { "Retry-After": "30" } });
  const cold = await world.ask("/v2/registry.test/b/manifests/2");
  expect([cold.status, cold.headers.get("retry-after")]).toEqual([429, "30"]);
  const before = world.upstream.requests.length;
  world.clock.advance(20_000);
  const stale = await world.ask(path);
  expect([stale.status, stale.headers.has("warning")]).toEqual([200, true]);
  const other = await world.ask("/v2/registry.test/c/manifests/1");
  expect([other.status, other.headers.get("retry-after")]).toEqual([429, "10"]);
  expect(world.upstream.requests.length).toBe(before);
  world.clock.advance(10_000);
  expect((await world.ask(path)).headers.has("warning")).toBe(false);
});

const flaky: readonly [string, Script, number, number][] = [
  ["one 500", [{ status: 500 }, good], 200, 2],
  ["a 503 and a reset", [{ status: 503 }, { cut: { at: "head", by: "rst" } }, good], 200, 3],
  ["500 for ever", { status: 500 }, 502, 3],
];

test.each(flaky)("%s is tried again, at most twice (F5)", async (_, script, status, asked) => {
  await using world = await createWorld();
  world.upstream.on("GET", "/v2/b/manifests/1", script);
  expect((await world.ask(path)).status).toBe(status);
  expect(world.upstream.requests.length).toBe(asked);
});

test.each([404, 410])(
  "%d is the upstream's word: it is passed on, believed for a minute, and not longer (F6)",
  async (status) => {
    await using world = await holdingWorld();
    const cold = uniqueBlob(1000);
    for (const what of ["b/manifests/1", "b/manifests/2", cold.path, `b/manifests/${cold.digest}`]) {
      world.clock.advance(2000);
      world.upstream.on("GET", `/v2/${what}`, { status });
      const before = world.upstream.requests.length;
      for (let i = 0; i < 3; i++) expect((await world.ask(`/v2/registry.test/${what}`)).status).toBe(404);
      expect(world.upstream.requests.length).toBe(before + 1);
      world.clock.advance(60_001);
      await world.ask(`/v2/registry.test/${what}`);
      expect(world.upstream.requests.length).toBe(before + 2);
    }
    // What was seen by digest stays: a digest cannot change.
    expect((await world.ask(`/v2/registry.test/b/manifests/${digestOf(String(good.body))}`)).status).toBe(200);
  },
);

const leading: readonly [string, (self: string) => string, RegExp][] = [
  ["in a circle", (self) => self, /more than 5 times/],
  ["to plain HTTP elsewhere", () => "http://cdn.test/blob", /plain HTTP; only https is followed; .*redirectHosts/],
  ["to loopback", () => "https://127.0.0.1/blob", /no address that may be connected to/],
  [
    "to a private address",
    () => "https://10.0.0.1/blob",
    /no address that may be connected to.*among its redirectHosts/,
  ],
  [
    "to the metadata of a cloud",
    () => "https://169.254.169.254/latest/meta-data/",
    /no address that may be connected to/,
  ],
  ["to another spelling of loopback", () => "https://0x7f.1/blob", /no address that may be connected to/],
  ["to a mapped address", () => "https://[::ffff:10.0.0.1]/blob", /no address that may be connected to/],
  ["to a file", () => "file:///etc/passwd", /names no place/],
  ["to a URL with a user in it", () => "https://user:pass@cdn.test/blob", /names no place/],
];

test.each(leading)("a blob that is redirected %s is not followed there (F10)", async (_, locationOf, reason) => {
  await using cdn = { upstream: startScriptedUpstream(), [Symbol.asyncDispose]: async () => cdn.upstream.stop() };
  await using world = await createWorld({ names: { "cdn.test": cdn.upstream } });
  const cold = uniqueBlob(1000);
  const location = locationOf(`/v2/${cold.path}`);
  world.upstream.on("GET", `/v2/${cold.path}`, { status: 307, headers: { Location: location } });
  const answer = await world.ask(`/v2/registry.test/${cold.path}`);
  expect(answer.status).toBe(502);
  expect(await messageOf(answer)).toMatch(reason);
  expect(cdn.upstream.requests).toEqual([]);
  expect(world.upstream.requests.length).toBeLessThanOrEqual(6);
});

test("a blob that is redirected to a public place over https comes from there, without credentials (F10)", async () => {
  const cdn = startScriptedUpstream({ tls: goodCertificate });
  const credentials = { username: "robot", passwordFile: "password" };
  await using world = await createWorld({
    names: { "cdn.test": cdn },
    files: { password: "canary" },
    upstream: { credentials, public: true },
  });
  const cold = uniqueBlob(1000);
  const { protect } = tokensOf(world);
  world.upstream.on(
    "GET",
    `/v2/${cold.path}`,
    protect({ status: 307, headers: { Location: "https://cdn.test/blob?signature=s" } }),
  );
  cdn.on("GET", "/blob", { body: cold.blob });
  const answer = await world.ask(`/v2/registry.test/${cold.path}`);
  expect([answer.status, digestOf(await answer.bytes())]).toEqual([200, cold.digest]);
  expect(cdn.requests.map((request) => request.headers.has("authorization"))).toEqual([false]);
  cdn.stop();
});

function tokensOf(
  world: World,
  requestsPerToken?: number,
): { readonly protect: (script: Script) => Script; readonly issued: () => number } {
  const options = requestsPerToken === undefined ? {} : { requestsPerToken };
  const issuer = issueTokens(world.upstream, `${world.upstream.url}/token`, options);
  return { protect: (script) => issuer.protect(script), issued: () => issuer.issued() };
}

test("a token that ends in the middle of a pull is renewed for its next range (F12)", async () => {
  await using world = await createWorld();
  const cold = uniqueBlob(600_000);
  const { protect, issued } = tokensOf(world, 1);
  const cut = { at: 400_000, by: "fin" } as const;
  world.upstream.on(
    "GET",
    `/v2/${cold.path}`,
    protect((request) => ({ ...blobReplies(cold.blob)(request), ...(request.headers.has("range") ? {} : { cut }) })),
  );
  const answer = await world.ask(`/v2/registry.test/${cold.path}`);
  expect(digestOf(await answer.bytes())).toBe(cold.digest);
  expect(issued()).toBe(2);
});

let tlsWorld: World;
beforeAll(async () => {
  tlsWorld = await createWorld({
    upstreamTls: expiredCertificate,
    config: { rules },
  });
});
afterAll(() => tlsWorld[Symbol.asyncDispose]());

test("an expired certificate is said, and stands between nobody and what is held (F11)", async () => {
  const { clock, storage } = tlsWorld;
  const place = { upstream: tlsWorld.settings.upstreams.keys().next().value!, repository: repository("b") };
  const bytes = new TextEncoder().encode("{}");
  const row = { digest: digestOf(bytes), mediaType: "application/vnd.oci.image.manifest.v1+json", bytes };
  await storage.index.putManifest(place, row);
  const checkedAtMs = clock.epochMs() - 2000;
  await storage.index.putTag(place, {
    tag: tag("1"),
    digest: row.digest,
    mediaType: undefined,
    sizeBytes: 2,
    checkedAtMs,
  });
  const stale = await tlsWorld.ask(path);
  expect([stale.status, stale.headers.get("warning")]).toEqual([200, expect.stringContaining("has expired")]);
  const cold = await tlsWorld.ask("/v2/registry.test/b/manifests/2");
  expect(cold.status).toBe(502);
  expect(await messageOf(cold)).toMatch(/certificate of 127\.0\.0\.1:\d+ has expired/);
  expect(tlsWorld.upstream.requests).toEqual([]);
});

test("a certificate for another name is said (F11)", async () => {
  await using world = await createWorld({ upstreamTls: wrongNameCertificate });
  const cold = await world.ask(path);
  expect(cold.status).toBe(502);
  expect(await messageOf(cold)).toMatch(/certificate of 127\.0\.0\.1:\d+ is for another name/);
  expect(world.upstream.requests).toEqual([]);
});
