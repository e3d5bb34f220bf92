import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { lookup } from "node:dns/promises";
import { createAuthority, issueCertificate } from "./certificates.ts";
import { get } from "./endpoint.ts";
import { type Fixtures, type ImageFixture, pushFixtures } from "./fixtures.ts";
import { type Periplus, startPeriplus } from "./periplus.ts";
import { temporaryFolder, type TemporaryFolder } from "./process.ts";
import { type ClientName, CLIENTS, type Clients, IMAGES, type PullOptions, startClients } from "./pulling.ts";
import { type Registry, startRegistry } from "./registry.ts";

/** How an image of registry.test is asked for, and by whom. Each client has a server of its own, which holds nothing. */
interface Way {
  readonly clients: readonly ClientName[];
  /** What the rule adds: with `freshFor: 0s` every warm tag is stale. */
  readonly freshFor: string;
  start(client: ClientName, world: World): Promise<Periplus>;
  options(image: ImageFixture): PullOptions;
}

interface World {
  readonly upstream: Registry;
  /** For certificates; empty at first. */
  readonly folder: string;
}

const WAYS: Readonly<Record<string, Way>> = {
  prefix: {
    clients: CLIENTS,
    freshFor: "0s",
    start: (_, { upstream }) => startPeriplus({ config: configOf(upstream, "registry.test", "*", "0s") }),
    options: ({ repository }) => ({ repository: `registry.test/${repository}` }),
  },
  Host: { clients: CLIENTS, freshFor: "24h", start: startNamed, options: () => ({}) },
  "a mirror's ns or path": {
    clients: ["containerd", "podman", "skopeo", "regctl"],
    freshFor: "24h",
    start: (_, { upstream }) => startPeriplus({ config: configOf(upstream, "registry.test", "registry.test", "24h") }),
    options: () => ({ namespace: "registry.test" }),
  },
};

function configOf(upstream: Registry, host: string, match: string, freshFor: string): Record<string, unknown> {
  return {
    upstreams: { [host]: { url: `http://${upstream.endpoint.host}` } },
    rules: [{ match, serve: "cache", freshFor }],
  };
}

/** At the client's own name (`crane.test`), which is the name of the rule and nothing in the path, over https. */
async function startNamed(client: ClientName, { upstream, folder }: World): Promise<Periplus> {
  const host = `${client}.test`;
  const { address } = await lookup(host);
  const authority = await createAuthority(folder);
  const leaf = await issueCertificate(authority, { folder, name: client, names: [`DNS:${host}`], use: "server" });
  return startPeriplus({
    host,
    caFile: authority.certFile,
    config: {
      ...configOf(upstream, host, host, "24h"),
      listen: `${address}:443`,
      tls: [{ cert: leaf.certFile, key: leaf.keyFile }],
    },
  });
}

let clients: Clients;

beforeAll(async () => {
  clients = await startClients();
});

afterAll(async () => clients[Symbol.asyncDispose]());

describe.each(Object.entries(WAYS))("by %s", (_, way) => {
  const pulls = way.clients.flatMap((client) => IMAGES.map((image) => [client, image] as const));
  const folders: TemporaryFolder[] = [];
  const servers = new Map<ClientName, Periplus>();
  let upstream: Registry;
  let fixtures: Fixtures;

  beforeAll(async () => {
    upstream = await startRegistry();
    fixtures = await pushFixtures(upstream.endpoint);
    const start = async (client: ClientName): Promise<void> => {
      const folder = await temporaryFolder("certificates");
      folders.push(folder);
      servers.set(client, await way.start(client, { upstream, folder: folder.path }));
    };
    await Promise.all(way.clients.map(start));
  });

  afterAll(async () => {
    await Promise.all([upstream, ...servers.values(), ...folders].map((part) => part[Symbol.asyncDispose]()));
  });

  async function pull(client: ClientName, image: ImageFixture): Promise<void> {
    await clients.expectPull(client, servers.get(client)!.endpoint, image, way.options(image));
  }

  test.each(pulls)("%s pulls %s cold", (client, name) => pull(client, fixtures[name]));

  test("each of these blobs was asked of the upstream once for each client", async () => {
    const asked = (await upstream.requests()).filter(({ method }) => method === "GET").map(({ target }) => target);
    const inAll = [fixtures.app, fixtures.tool].flatMap(({ platforms: [first] }) =>
      first!.layers.concat(first!.config),
    );
    for (const { digest } of inAll) {
      const times = asked.filter((target) => target.endsWith(`/blobs/${digest}`)).length;
      expect([digest, times]).toEqual([digest, way.clients.length]);
    }
  });

  test("the upstream goes", async () => expect(await upstream.running.stop()).toBeNumber());

  test.each(pulls)("%s pulls %s from what is held", (client, name) => pull(client, fixtures[name]));

  test.each([...way.clients])(
    "the tag that %s pulled goes out with its age, and with a Warning once it is stale",
    async (client) => {
      const { repository, tag, body, manifest } = fixtures.app;
      const { repository: path = repository, namespace } = way.options(fixtures.app);
      const query = namespace === undefined ? "" : `?ns=${namespace}`;
      const { endpoint } = servers.get(client)!;
      const response = await get(endpoint, `/v2/${path}/manifests/${tag}${query}`);
      expect(await response.text()).toBe(body);
      expect(response.headers.get("docker-content-digest")).toBe(manifest.digest);
      expect(Number(response.headers.get("age"))).toBeGreaterThanOrEqual(0);
      const warning = response.headers.get("warning") ?? "";
      expect(warning.startsWith('299 - "stale: ')).toBe(way.freshFor === "0s");
    },
  );
});
