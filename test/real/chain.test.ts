import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Endpoint, get, urlOf } from "./endpoint.ts";
import { type Fixtures, pushFixtures } from "./fixtures.ts";
import { type Periplus, startPeriplus } from "./periplus.ts";
import { CLIENTS, type Clients, startClients } from "./pulling.ts";
import { type Registry, startRegistry } from "./registry.ts";

let clients: Clients;

beforeAll(async () => {
  clients = await startClients();
});

afterAll(async () => clients[Symbol.asyncDispose]());

function cacheOf(endpoint: Endpoint, path: string): Promise<Periplus> {
  return startPeriplus({
    config: {
      upstreams: { "registry.test": { url: urlOf(endpoint), ...(path === "" ? {} : { path }) } },
      rules: [{ match: "*", serve: "cache", freshFor: "0s" }],
    },
  });
}

describe("a cache behind a cache", () => {
  let upstream: Registry;
  let fixtures: Fixtures;
  let inner: Periplus;
  let outer: Periplus;

  beforeAll(async () => {
    upstream = await startRegistry();
    fixtures = await pushFixtures(upstream.endpoint);
    inner = await cacheOf(upstream.endpoint, "");
    outer = await cacheOf(inner.endpoint, "registry.test");
  });

  afterAll(async () => {
    await Promise.all([outer, inner, upstream].map((part) => part[Symbol.asyncDispose]()));
  });

  test.each(CLIENTS)("%s pulls through both", async (client) => {
    await clients.expectPull(client, outer.endpoint, fixtures.app, { repository: "registry.test/app" });
  });

  test("each blob came from the upstream once", async () => {
    const asked = (await upstream.requests()).filter(({ method }) => method === "GET").map(({ target }) => target);
    const { layers, config } = fixtures.app.platforms[0]!;
    for (const { digest } of [config, ...layers]) {
      expect(asked.filter((target) => target.endsWith(`/blobs/${digest}`))).toHaveLength(1);
    }
  });

  test("both answer while the upstream is gone, and what was never seen is no 404", async () => {
    await upstream.running.stop();
    await clients.expectPull("containerd", inner.endpoint, fixtures.app, { repository: "registry.test/app" });
    await clients.expectPull("crane", outer.endpoint, fixtures.app, { repository: "registry.test/app" });
    const unknown = await get(outer.endpoint, "/v2/registry.test/app/manifests/9.9");
    expect([unknown.status, await unknown.json()]).toMatchObject([502, { errors: [{ code: "UNAVAILABLE" }] }]);
  });

  test("the outer one answers while the inner one is gone too", async () => {
    await inner.running[Symbol.asyncDispose]();
    for (const client of ["crane", "containerd"] as const) {
      await clients.expectPull(client, outer.endpoint, fixtures.app, { repository: "registry.test/app" });
    }
  });
});

test("distribution, as a cache of its own, has it as upstream", async () => {
  await using upstream = await startRegistry();
  const { tool, app } = await pushFixtures(upstream.endpoint);
  await using periplus = await cacheOf(upstream.endpoint, "");
  await using proxy = await startRegistry({ proxyOf: periplus.endpoint });
  for (const [client, image] of [
    ["crane", app],
    ["containerd", tool],
  ] as const) {
    await clients.expectPull(client, proxy.endpoint, image, { repository: `registry.test/${image.repository}` });
  }
  await upstream.running.stop();
  await clients.expectPull("oras", proxy.endpoint, app, { repository: "registry.test/app" });
});

test("a distribution that caches is an upstream as another", async () => {
  await using upstream = await startRegistry();
  const { tool, app } = await pushFixtures(upstream.endpoint);
  await using proxy = await startRegistry({ proxyOf: upstream.endpoint });
  await using periplus = await cacheOf(proxy.endpoint, "");
  for (const [client, image] of [
    ["skopeo", app],
    ["podman", tool],
  ] as const) {
    await clients.expectPull(client, periplus.endpoint, image, { repository: `registry.test/${image.repository}` });
  }
});
