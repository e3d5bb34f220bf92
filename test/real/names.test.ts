import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { get } from "./endpoint.ts";
import { digestsOf, type Fixtures, pushFixtures } from "./fixtures.ts";
import { type Periplus, startPeriplus } from "./periplus.ts";
import { CLIENTS, type Clients, IMAGES, startClients } from "./pulling.ts";
import { type Registry, startRegistry } from "./registry.ts";

let clients: Clients;
let registry: Registry;
let hub: Registry;
let fixtures: Fixtures;
let ofHub: Fixtures;
let periplus: Periplus;

beforeAll(async () => {
  [clients, registry, hub] = await Promise.all([startClients(), startRegistry(), startRegistry()]);
  [fixtures, ofHub] = await Promise.all([
    pushFixtures(registry.endpoint),
    pushFixtures(hub.endpoint, { prefix: "library/" }),
  ]);
  periplus = await startPeriplus({
    config: {
      upstreams: {
        "docker.io": { url: `http://${hub.endpoint.host}` },
        "registry.test": { url: `http://${registry.endpoint.host}` },
        "inner.test": { url: `http://${hub.endpoint.host}`, path: "library" },
      },
      rules: [
        { match: "*", serve: "cache" },
        { match: "old.test", upstream: "registry.test", serve: "cache" },
      ],
    },
  });
});

afterAll(async () => {
  await Promise.all([periplus, clients, registry, hub].map((part) => part[Symbol.asyncDispose]()));
});

describe("names", () => {
  test.each(CLIENTS)("%s pulls a bare name from docker.io, where it is in library/", async (client) => {
    await clients.expectPull(client, periplus.endpoint, ofHub.tool, { repository: "tool" });
  });

  test.each(CLIENTS)("%s pulls an old registry's image from the one that took its place", async (client) => {
    await clients.expectPull(client, periplus.endpoint, fixtures.tool, { repository: "old.test/tool" });
  });

  test.each(["podman", "containerd", "docker"] as const)("%s has it as a mirror of docker.io", async (client) => {
    await clients.expectPull(client, periplus.endpoint, ofHub.app, { namespace: "docker.io" });
  });

  test.each(CLIENTS)("%s pulls from an upstream whose repositories are below a path", async (client) => {
    await clients.expectPull(client, periplus.endpoint, ofHub.tool, { repository: "inner.test/tool" });
  });

  test.each(CLIENTS)("%s is refused a registry that is not configured", async (client) => {
    const repository = `${registry.endpoint.host.replace(":", ".")}/tool`;
    const pulled = await clients.pull(client, periplus.endpoint, fixtures.tool, { repository });
    expect(pulled).toMatchObject({ kind: "refused" });
  });
});

// crane, oras, skopeo and podman send no ?ns=: for them it is asked here as containerd does.
describe("by ?ns=", () => {
  test.each(IMAGES)("%s comes byte for byte, and its blobs with their digests", async (name) => {
    const { repository, tag, body, platforms } = fixtures[name];
    const manifest = await get(periplus.endpoint, `/v2/${repository}/manifests/${tag}?ns=registry.test`);
    expect(manifest.headers.get("oci-namespace")).toBe("registry.test");
    expect(await manifest.text()).toBe(body);
    const children = new Set(platforms.map((platform) => platform.manifest.digest));
    for (const digest of digestsOf(fixtures[name]).slice(1)) {
      const kind = children.has(digest) ? "manifests" : "blobs";
      const part = await get(periplus.endpoint, `/v2/${repository}/${kind}/${digest}?ns=registry.test`);
      const hash = new Bun.CryptoHasher("sha256").update(await part.arrayBuffer()).digest("hex");
      expect([kind, part.status, `sha256:${hash}`]).toEqual([kind, 200, digest]);
    }
  });

  test("a registry that is not configured is no name here", async () => {
    const { repository, tag } = fixtures.tool;
    const refused = await get(periplus.endpoint, `/v2/${repository}/manifests/${tag}?ns=${registry.endpoint.host}`);
    expect(refused.status).toBe(404);
    expect(await refused.json()).toMatchObject({ errors: [{ code: "NAME_UNKNOWN" }] });
  });
});
