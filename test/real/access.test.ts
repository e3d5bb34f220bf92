import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createAuthority, issueCertificate } from "./certificates.ts";
import { type Credentials, type Endpoint, get } from "./endpoint.ts";
import { type Fixtures, pushFixtures } from "./fixtures.ts";
import { type Periplus, startPeriplus } from "./periplus.ts";
import { type Finished, run, type TemporaryFolder, temporaryFolder } from "./process.ts";
import { CLIENTS, type Clients, startClients } from "./pulling.ts";
import { type Registry, startRegistry, USER } from "./registry.ts";
import { binary } from "./versions.ts";

/** A user of Periplus, whom the upstream does not know. */
const OURS: Credentials = { username: "bob", password: "tr0ub4dor" };

/** Commands that log in; crane asks nobody when it does. */
const LOGINS: readonly (readonly [string, (endpoint: Endpoint, home: string) => readonly string[]])[] = [
  ["skopeo", ({ host }, home) => ["login", "--tls-verify=false", "--authfile", join(home, "auth.json"), host]],
  ["podman", ({ host }, home) => ["login", "--tls-verify=false", "--authfile", join(home, "auth.json"), host]],
  [
    "oras",
    ({ host, caFile }, home) => ["login", ...trusting(caFile), "--registry-config", join(home, "oras.json"), host],
  ],
];

function trusting(caFile: string | undefined): readonly string[] {
  return caFile === undefined ? ["--plain-http"] : ["--ca-file", caFile];
}

let clients: Clients;
let folder: TemporaryFolder;
let guarded: Registry;
let open: Registry;
let fixtures: Fixtures;

beforeAll(async () => {
  [clients, folder, guarded, open] = await Promise.all([
    startClients(),
    temporaryFolder("access"),
    startRegistry({ access: { kind: "htpasswd", user: USER } }),
    startRegistry(),
  ]);
  fixtures = await pushFixtures(guarded.endpoint);
  await pushFixtures(open.endpoint, { prefix: "team/" });
  await writeFile(join(folder.path, "password"), USER.password);
  const hash = await Bun.password.hash(OURS.password, { algorithm: "bcrypt", cost: 4 });
  await writeFile(join(folder.path, "users"), `# who may pull\n${OURS.username}:${hash}\n`);
});

afterAll(async () => {
  await Promise.all([clients, guarded, open, folder].map((part) => part[Symbol.asyncDispose]()));
});

/** What is private, what is public though it came with credentials, and what needed none. */
function config(): Record<string, unknown> {
  const credentials = { username: USER.username, passwordFile: join(folder.path, "password") };
  const url = `http://${guarded.endpoint.host}`;
  return {
    auth: { htpasswd: join(folder.path, "users") },
    upstreams: {
      "private.test": { url, credentials },
      "public.test": { url, credentials, public: true },
      "open.test": { url: `http://${open.endpoint.host}` },
    },
    rules: [{ match: "*", serve: "cache" }],
  };
}

async function startWithTls(): Promise<Periplus> {
  const authority = await createAuthority(folder.path);
  const options = { folder: folder.path, name: "server", names: ["IP:127.0.0.1"], use: "server" } as const;
  const { certFile, keyFile } = await issueCertificate(authority, options);
  return startPeriplus({
    caFile: authority.certFile,
    config: { ...config(), tls: [{ cert: certFile, key: keyFile }] },
  });
}

describe.each([
  ["plain HTTP on loopback", () => startPeriplus({ config: config() })],
  ["TLS", startWithTls],
] as const)("with users, over %s", (_, start) => {
  const wrong = { ...OURS, password: "guess" };
  let periplus: Periplus;
  let user: Endpoint;

  beforeAll(async () => {
    periplus = await start();
    user = { ...periplus.endpoint, credentials: OURS };
  });

  afterAll(async () => periplus[Symbol.asyncDispose]());

  test.each(CLIENTS)("%s is refused what is private, before and after a user has pulled it", async (client) => {
    const repository = "private.test/tool";
    const refused = { kind: "refused" };
    expect(await clients.pull(client, periplus.endpoint, fixtures.tool, { repository })).toMatchObject(refused);
    const guess = { ...periplus.endpoint, credentials: wrong };
    expect(await clients.pull(client, guess, fixtures.tool, { repository })).toMatchObject(refused);
    await clients.expectPull(client, user, fixtures.tool, { repository });
    expect(await clients.pull(client, periplus.endpoint, fixtures.tool, { repository })).toMatchObject(refused);
  });

  test.each(CLIENTS)("%s pulls what is public without a user", async (client) => {
    await clients.expectPull(client, periplus.endpoint, fixtures.app, { repository: "public.test/app" });
    await clients.expectPull(client, periplus.endpoint, fixtures.tool, { repository: "open.test/team/tool" });
  });

  test.each(CLIENTS)("%s pulls what is public with a user", async (client) => {
    await clients.expectPull(client, user, fixtures.tool, { repository: "open.test/team/tool" });
  });

  test.each(LOGINS)("%s logs in with the right password only", async (name, login) => {
    await using home = await temporaryFolder("login");
    const given = (password: string): Promise<Finished> =>
      run([binary(name), ...login(periplus.endpoint, home.path), "--username", OURS.username, "--password", password], {
        env: { HOME: home.path },
      });
    expect(await given("guess")).not.toMatchObject({ code: 0 });
    expect(await given(OURS.password)).toMatchObject({ code: 0 });
  });

  test("the challenge names our own token endpoint, and Basic works without it", async () => {
    const path = "/v2/private.test/tool/manifests/2.1";
    const { host, scheme } = periplus.endpoint;
    for (const asked of [path, "/v2/"]) {
      const refused = await get(periplus.endpoint, asked);
      expect([refused.status, refused.headers.get("www-authenticate")]).toEqual([
        401,
        expect.stringContaining(`Bearer realm="${scheme}://${host}/token"`),
      ]);
      expect(await refused.json()).toMatchObject({ errors: [{ code: "UNAUTHORIZED" }] });
      expect((await get(user, asked)).status).toBe(200);
    }
  });

  test("a digest of something private is not to be had by a public name", async () => {
    const { digest } = fixtures.app.platforms[0]!.layers[0]!;
    const held = await get(user, `/v2/private.test/app/blobs/${digest}`);
    expect([held.status, (await held.bytes()).length]).toEqual([200, fixtures.app.platforms[0]!.layers[0]!.size]);
    expect((await get(periplus.endpoint, `/v2/private.test/app/blobs/${digest}`)).status).toBe(401);
    expect((await get(periplus.endpoint, `/v2/open.test/team/none/blobs/${digest}`)).status).toBe(404);
  });
});

test("private content without users to read it is refused at start", async () => {
  const { auth: _, ...withoutUsers } = config();
  const said = await startPeriplus({ config: withoutUsers }).then(
    () => "it serves",
    (error: unknown) => String(error),
  );
  expect(said).toContain("upstreams.private.test");
});
