import { afterAll, beforeAll, expect, test } from "bun:test";
import { allClients, type Client } from "./clients.ts";
import { type Containerd, startContainerd } from "./containerd.ts";
import { get } from "./endpoint.ts";
import { type Fixtures, pushFixtures } from "./fixtures.ts";
import { type Periplus, startPeriplus } from "./periplus.ts";
import { createPodman, type Podman } from "./podman.ts";
import { temporaryFolder } from "./process.ts";
import { type Registry, startRegistry } from "./registry.ts";

let upstream: Registry;
let fixtures: Fixtures;
let periplus: Periplus;
let podman: Podman;
let containerd: Containerd;
let clients: readonly Client[];

beforeAll(async () => {
  [upstream, podman, containerd] = await Promise.all([startRegistry(), createPodman(), startContainerd()]);
  fixtures = await pushFixtures(upstream.endpoint);
  clients = allClients({ podman, containerd });
  periplus = await startPeriplus({
    config: {
      upstreams: { "registry.test": { url: `http://${upstream.endpoint.host}`, public: true } },
      rules: [{ match: "*", serve: "cache" }],
    },
  });
});

afterAll(async () => {
  await Promise.all([periplus, containerd, podman, upstream].map((part) => part[Symbol.asyncDispose]()));
});

test("a manifest comes through byte for byte", async () => {
  const { repository, tag, manifest, body } = fixtures.app;
  const headers = { accept: manifest.mediaType };
  const response = await get(periplus.endpoint, `/v2/registry.test/${repository}/manifests/${tag}`, { headers });
  expect(await response.text()).toBe(body);
  expect(response.headers.get("docker-content-digest")).toBe(manifest.digest);
});

test.each(["crane", "skopeo", "oras", "regctl", "podman", "containerd"])("%s pulls by prefix", async (name) => {
  const { repository, tag, manifest } = fixtures.tool;
  await using folder = await temporaryFolder(name);
  const source = { endpoint: periplus.endpoint, repository: `registry.test/${repository}`, reference: tag };
  const pulled = await clients.find((client) => client.name === name)!.pull(source, folder.path);
  expect(pulled).toMatchObject({ kind: "pulled", digest: manifest.digest });
});
