import { afterAll, beforeAll, expect, test } from "bun:test";
import { manifestReply } from "../registry/testing/content.ts";
import { parseExposition } from "./testing/exposition.ts";
import { createWorld, type World } from "./testing/world.ts";

interface ErrorBody {
  readonly errors: readonly { readonly code: string; readonly message: string; readonly detail: unknown }[];
}

async function codeOf(reply: Response): Promise<string | undefined> {
  expect(reply.headers.get("content-type")).toBe("application/json");
  const body = (await reply.json()) as ErrorBody;
  expect(body.errors.length).toBe(1);
  expect(body.errors[0]?.message.length).toBeGreaterThan(10);
  return body.errors[0]?.code;
}

let shared: World;
beforeAll(async () => {
  shared = await createWorld();
});
afterAll(() => shared[Symbol.asyncDispose]());

test.each(["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])(
  "%s is 405 with Allow, everywhere",
  async (method) => {
    await using world = await createWorld();
    for (const path of [
      "/v2/",
      "/v2/registry.test/b/manifests/1",
      "/v2/registry.test/b/blobs/uploads/",
      "/",
      "/healthz",
    ]) {
      const reply = await world.ask(path, { method });
      expect([path, reply.status, reply.headers.get("allow")]).toEqual([path, 405, "GET, HEAD"]);
      expect(await codeOf(reply)).toBe("UNSUPPORTED");
    }
    expect(world.upstream.requests).toEqual([]);
  },
);

test.each<[string, number, string]>([
  ["/v2/_catalog", 404, "UNSUPPORTED"],
  ["/v2/registry.test/b/uploads/1", 404, "UNSUPPORTED"],
  ["/v2", 200, ""],
  ["/v2/", 200, ""],
  ["/v3/", 404, "UNSUPPORTED"],
  ["/v2x/", 404, "UNSUPPORTED"],
  ["/token", 404, "UNSUPPORTED"],
  ["/v2/registry.test/B/manifests/1", 400, "NAME_INVALID"],
  ["/v2/registry.test/b/manifests/a b", 400, "MANIFEST_INVALID"],
  ["/v2/registry.test/b/manifests/sha256:ff", 400, "DIGEST_INVALID"],
  ["/v2/registry.test/b/blobs/1", 400, "DIGEST_INVALID"],
  ["/v2/unknown.test/b/manifests/1", 404, "NAME_UNKNOWN"],
])("%s is answered with %d %s and the upstream is not asked", async (path, status, code) => {
  const world = shared;
  const reply = await world.ask(path);
  expect(reply.status).toBe(status);
  if (status !== 200) expect(await codeOf(reply)).toBe(code);
  expect(world.upstream.requests).toEqual([]);
});

test("it is alive always, and ready until it drains", async () => {
  await using world = await createWorld();
  const statuses = async (): Promise<number[]> =>
    Promise.all(["/healthz", "/readyz"].map(async (path) => (await world.ask(path, { from: "203.0.113.9" })).status));
  expect(await statuses()).toEqual([200, 200]);
  world.app.drain();
  expect(await statuses()).toEqual([200, 503]);
});

test("metrics are for the clients, and can be scraped", async () => {
  await using world = await createWorld({ config: { clients: ["10.0.0.0/8"] } });
  await world.ask("/v2/registry.test/b/manifests/1", { from: "10.1.2.3" });
  expect(await codeOf(await world.ask("/metrics", { from: "192.168.0.1" }))).toBe("DENIED");
  const reply = await world.ask("/metrics", { from: "10.1.2.3" });
  expect([reply.status, reply.headers.get("content-type")]).toEqual([200, "text/plain; version=0.0.4"]);
  const { samples } = parseExposition(await reply.text());
  expect(samples).toContainEqual({
    name: "periplus_requests_total",
    labels: { decision: "cache", status: "404" },
    value: 1,
  });
});

test.each<[string, unknown, boolean]>([
  ["127.0.0.1", undefined, true],
  ["::1", undefined, true],
  ["10.1.2.3", undefined, true],
  ["::ffff:192.168.1.1", undefined, true],
  ["fd00::1", undefined, true],
  ["8.8.8.8", undefined, false],
  ["2001:db8::1", undefined, false],
  ["", undefined, false],
  ["8.8.8.8", "any", true],
  ["10.1.2.3", ["10.1.2.0/24"], true],
  ["10.1.3.3", ["10.1.2.0/24"], false],
  ["127.0.0.1", ["10.1.2.0/24"], false],
])("a client at %p pulls where clients are %p: %p", async (from, clients, may) => {
  await using world = await createWorld({ config: clients === undefined ? {} : { clients } });
  world.upstream.on("GET", "/v2/b/manifests/1", manifestReply("{}"));
  for (const path of ["b/manifests/1", "b/tags/list", `b/blobs/sha256:${"a".repeat(64)}`]) {
    const before = world.upstream.requests.length;
    const reply = await world.ask(`/v2/registry.test/${path}`, { from });
    expect(reply.status === 403).toBe(!may);
    expect(world.upstream.requests.length > before).toBe(may);
  }
});

test.each<[string, string, Record<string, string>, boolean]>([
  ["nobody is trusted", "10.9.9.9", { "X-Forwarded-For": "8.8.8.8" }, true],
  ["a client says it is another", "8.8.8.8", { "X-Forwarded-For": "10.1.1.1" }, false],
  ["a proxy says who asks", "172.16.0.1", { "X-Forwarded-For": "10.1.1.1" }, true],
  ["a proxy says that a stranger asks", "172.16.0.1", { "X-Forwarded-For": "8.8.8.8" }, false],
  ["a stranger puts an address before its own", "172.16.0.1", { "X-Forwarded-For": "10.1.1.1, 8.8.8.8" }, false],
  ["a proxy by Forwarded", "172.16.0.1", { Forwarded: 'for="10.1.1.1:80"' }, true],
  ["a stranger by Forwarded", "172.16.0.1", { Forwarded: "for=10.1.1.1, for=8.8.8.8" }, false],
  ["a proxy that says nothing", "172.16.0.1", {}, false],
])("%s (T25)", async (_, from, headers, may) => {
  await using world = await createWorld({ config: { clients: ["10.0.0.0/8"], trustedProxies: ["172.16.0.0/12"] } });
  const reply = await world.ask("/v2/registry.test/b/manifests/1", { from, headers });
  expect(reply.status).toBe(may ? 404 : 403);
});

async function contentOf(world: World, path: string, headers: Record<string, string> = {}): Promise<string> {
  const reply = await world.ask(path, { headers });
  return `${reply.status} ${reply.headers.get("oci-namespace")} ${await reply.text()}`;
}

test("by prefix, by Host and by ns, it is the same content", async () => {
  await using world = await createWorld();
  world.upstream.on("GET", "/v2/b/c/manifests/1", manifestReply("{}"));
  const same = "200 registry.test {}";
  expect(await contentOf(world, "/v2/registry.test/b/c/manifests/1")).toBe(same);
  expect(await contentOf(world, "/v2/b/c/manifests/1?ns=registry.test")).toBe(same);
  expect(await contentOf(world, "/v2/b/c/manifests/1", { Host: "registry.test" })).toBe(same);
  expect(await contentOf(world, "/v2/b/c/manifests/1", { Host: "REGISTRY.test:443" })).toBe(same);
  expect(await contentOf(world, "/v2/b/c/manifests/1?ns=registry.test", { Host: "other.test" })).toBe(same);
  expect(world.upstream.count("GET", "/v2/b/c/manifests/1")).toBe(1);
});

test("a redirect is 307 and names the registry that it speaks for, whoever keeps the content", async () => {
  const upstreams = { "registry.test": { url: "https://elsewhere.test" } };
  const rules = [{ match: "old.test", upstream: "registry.test", serve: "redirect" }];
  await using world = await createWorld({ config: { upstreams, rules } });
  for (const method of ["GET", "HEAD"]) {
    const { status, headers } = await world.ask("/v2/old.test/b/manifests/1?x=y", { method });
    expect([status, headers.get("location"), headers.get("oci-namespace")]).toEqual([
      307,
      "https://elsewhere.test/v2/b/manifests/1",
      "registry.test",
    ]);
  }
});

test("a rule under a name of its own leads to its upstream", async () => {
  await using world = await createWorld({
    config: { rules: [{ match: "old.test", upstream: "registry.test", serve: "cache" }] },
  });
  world.upstream.on("GET", "/v2/b/manifests/1", manifestReply("{}"));
  for (const path of ["/v2/old.test/b/manifests/1", "/v2/b/manifests/1?ns=old.test"])
    expect(await contentOf(world, path)).toBe("200 registry.test {}");
  expect((await world.ask("/v2/registry.test/b/manifests/1")).status).toBe(404);
});

test("every request has one record, with its decision and where the bytes came from", async () => {
  await using world = await createWorld();
  world.upstream.on("GET", "/v2/b/manifests/1", manifestReply("{}"));
  await world.ask("/v2/registry.test/b/manifests/1", { headers: { "User-Agent": "crane" } });
  await world.ask("/v2/registry.test/b/manifests/1");
  await world.ask("/v2/_catalog");
  await world.ask("/healthz");
  const records = world.records.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(records[0]).toMatchObject({
    decision: "cache",
    rule: "rules[0]",
    upstream: "registry.test",
    repository: "b",
    reference: "1",
    client: "127.0.0.1",
    origin: "miss",
    agent: "crane",
    status: 200,
    size: 2,
  });
  expect(records.map((record) => [record["decision"], record["origin"], record["status"]])).toEqual([
    ["cache", "miss", 200],
    ["cache", "hit", 200],
    ["refuse", undefined, 404],
    ["operations", undefined, 200],
  ]);
});

test("what goes wrong here is 500, and the log says what while the answer does not", async () => {
  await using world = await createWorld();
  await world.storage.index.close();
  const reply = await world.ask("/v2/registry.test/b/manifests/1");
  expect([reply.status, await codeOf(reply)]).toEqual([500, "UNAVAILABLE"]);
  expect(world.said.length).toBe(1);
});
