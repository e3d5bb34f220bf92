import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { basicAuthorization, type Endpoint, get, urlOf } from "./endpoint.ts";
import { type Fixtures, pushFixtures } from "./fixtures.ts";
import { type Periplus, type PeriplusOptions, startPeriplus } from "./periplus.ts";
import { type TemporaryFolder, temporaryFolder } from "./process.ts";
import { type Clients, startClients } from "./pulling.ts";
import { REGISTRIES, type Registry, startRegistry, USER } from "./registry.ts";

let clients: Clients;

beforeAll(async () => {
  clients = await startClients();
});

afterAll(async () => clients[Symbol.asyncDispose]());

/** A cache of the one registry, under registry.test. */
function cacheOf(registry: Registry, credentials?: unknown): PeriplusOptions["config"] {
  const { endpoint, tokens } = registry;
  const upstream = {
    url: urlOf(endpoint),
    ...(endpoint.caFile === undefined ? {} : { ca: endpoint.caFile }),
    ...(credentials === undefined ? {} : { credentials, public: true }),
    ...(tokens === undefined ? {} : { tokenHosts: [new URL(tokens.realm).host] }),
  };
  return { upstreams: { "registry.test": upstream }, rules: [{ match: "*", serve: "cache" }] };
}

async function passwordFile(folder: string, password: string): Promise<string> {
  const file = join(folder, "password");
  await writeFile(file, `${password}\n`);
  return file;
}

/** A folder for `DOCKER_CONFIG`, as `docker login` leaves it. */
async function dockerConfig(folder: string, endpoint: Endpoint): Promise<string> {
  const at = join(folder, "docker");
  await mkdir(at);
  const auth = basicAuthorization(USER).slice("Basic ".length);
  await writeFile(join(at, "config.json"), JSON.stringify({ auths: { [endpoint.host]: { auth } } }));
  return at;
}

describe.each(REGISTRIES)("%s as upstream", (_, options) => {
  const isGuarded = options.access !== undefined;
  let registry: Registry;
  let fixtures: Fixtures;
  let folder: TemporaryFolder;

  beforeAll(async () => {
    [registry, folder] = await Promise.all([startRegistry(options), temporaryFolder("upstream")]);
    fixtures = await pushFixtures(registry.endpoint, { prefix: "team/" });
  });

  afterAll(async () => {
    await registry[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  async function expectPulls(periplus: Periplus): Promise<void> {
    for (const [client, image] of [
      ["crane", fixtures.app],
      ["containerd", fixtures.appDocker],
    ] as const) {
      const repository = `registry.test/${image.repository}`;
      await clients.expectPull(client, periplus.endpoint, image, { repository });
    }
  }

  if (!isGuarded) {
    test("is pulled through", async () => {
      await using periplus = await startPeriplus({ config: cacheOf(registry) });
      await expectPulls(periplus);
    });
    return;
  }

  test("is pulled through with a user and a password file", async () => {
    const credentials = { username: USER.username, passwordFile: await passwordFile(folder.path, USER.password) };
    const before = registry.tokens?.requests.length ?? 0;
    await using periplus = await startPeriplus({ config: cacheOf(registry, credentials) });
    await expectPulls(periplus);
    const asked = registry.tokens?.requests.slice(before) ?? [];
    const once = ["team/app", "team/app-docker"].map((name) => [{ scopes: [`repository:${name}:pull`], user: "ann" }]);
    expect(asked).toEqual(registry.tokens === undefined ? [] : once.flat());
  });

  test("is pulled through with what docker login left", async () => {
    const env = { DOCKER_CONFIG: await dockerConfig(folder.path, registry.endpoint) };
    await using periplus = await startPeriplus({ config: cacheOf(registry, "docker-config"), env });
    await expectPulls(periplus);
  });

  test("refuses a wrong password, and the answer says who refused what", async () => {
    const credentials = { username: USER.username, passwordFile: await passwordFile(folder.path, "wrong") };
    await using periplus = await startPeriplus({ config: cacheOf(registry, credentials) });
    const answer = await get(periplus.endpoint, "/v2/registry.test/team/tool/manifests/2.1");
    expect(answer.status).toBe(502);
    const body = await answer.text();
    expect(JSON.parse(body)).toMatchObject({ errors: [{ code: "UNAVAILABLE" }] });
    expect(body).toContain("registry.test/team/tool:2.1");
    expect(body).not.toContain("wrong");
  });
});

test("an authority that is neither the system's nor configured is refused, and the answer says why", async () => {
  await using registry = await startRegistry({ tls: true });
  const { caFile: _, ...unknown } = registry.endpoint;
  await using periplus = await startPeriplus({ config: cacheOf({ ...registry, endpoint: unknown }) });
  const answer = await get(periplus.endpoint, "/v2/registry.test/tool/manifests/2.1");
  expect([answer.status, await answer.text()]).toEqual([502, expect.stringContaining("certificate")]);
});

test("an upstream that gives tokens to anyone is pulled through without credentials", async () => {
  const access = { kind: "token", user: USER, anonymousPull: true } as const;
  await using registry = await startRegistry({ access });
  const { tool } = await pushFixtures(registry.endpoint);
  const before = registry.tokens!.requests.length;
  await using periplus = await startPeriplus({ config: cacheOf(registry) });
  await clients.expectPull("skopeo", periplus.endpoint, tool, { repository: "registry.test/tool" });
  expect(registry.tokens!.requests.slice(before)).toEqual([{ scopes: ["repository:tool:pull"], user: undefined }]);
});
