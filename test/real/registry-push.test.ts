import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createAuthority, issueCertificate } from "./certificates.ts";
import { dockerConfig } from "./client-files.ts";
import { type ConformanceReport, runWholeConformance } from "./conformance.ts";
import { type Endpoint, get } from "./endpoint.ts";
import { type Fixtures, type ImageFixture, pushFixtures } from "./fixtures.ts";
import { type Periplus, startPeriplus } from "./periplus.ts";
import { mustRun, type TemporaryFolder, temporaryFolder } from "./process.ts";
import { CLIENTS, type Clients, startClients } from "./pulling.ts";
import { ENGINE_PUSHERS, PUSHERS, pushWith } from "./pushing-clients.ts";
import { type Registry, startRegistry, USER } from "./registry.ts";
import { binary } from "./versions.ts";

// Repositories of our own under the programs that people push with: in the open, and with TLS and users.

setDefaultTimeout(120_000);

let clients: Clients;
let folder: TemporaryFolder;
let source: Registry;
let fixtures: Fixtures;

beforeAll(async () => {
  [clients, folder, source] = await Promise.all([startClients(), temporaryFolder("push"), startRegistry()]);
  fixtures = await pushFixtures(source.endpoint);
});
afterAll(async () => {
  await Promise.all([clients, source, folder].map((part) => part[Symbol.asyncDispose]()));
});

function startOpen(): Promise<Periplus> {
  return startPeriplus({ config: { rules: [{ match: "*", serve: "store" }] } });
}

async function startGuarded(): Promise<Periplus> {
  const authority = await createAuthority(folder.path);
  const names = ["IP:127.0.0.1", "DNS:localhost"];
  const pair = await issueCertificate(authority, { folder: folder.path, name: "server", names, use: "server" });
  const hash = await Bun.password.hash(USER.password, { algorithm: "bcrypt", cost: 4 });
  await writeFile(join(folder.path, "users"), `${USER.username}:${hash}\n`);
  const access = [
    { users: ["anonymous"], repositories: ["public/**"], may: ["pull"] },
    { users: [USER.username], may: ["pull", "push", "delete"] },
  ];
  return startPeriplus({
    caFile: authority.certFile,
    credentials: USER,
    config: {
      tls: [{ cert: pair.certFile, key: pair.keyFile }],
      auth: { htpasswd: join(folder.path, "users") },
      rules: [{ match: "*", serve: "store", access, immutableTags: ["fixed"] }],
    },
  });
}

function withoutUser({ host, scheme, caFile }: Endpoint): Endpoint {
  return { host, scheme, ...(caFile === undefined ? {} : { caFile }) };
}

/** Everything that did not pass; what the version asked for does not have is disabled by the suite itself. */
function notPassed(report: ConformanceReport): readonly string[] {
  const bad = report.tests.filter(({ status }) => status !== "Pass" && status !== "Disabled");
  return bad.map(({ name, status }) => `${name}: ${status}`);
}

describe.each([
  ["in the open", startOpen],
  ["with TLS and users", startGuarded],
] as const)("repositories of our own %s", (_, start) => {
  let periplus: Periplus;
  let endpoint: Endpoint;
  beforeAll(async () => {
    periplus = await start();
    ({ endpoint } = periplus);
  });
  afterAll(() => periplus[Symbol.asyncDispose]());

  test.each([
    ["1.1", 690],
    ["dev", 790],
  ] as const)("the conformance suite %s passes, with everything that it has", async (version, atLeast) => {
    const report = await runWholeConformance({ endpoint, version });
    expect(notPassed(report)).toEqual([]);
    expect(report.tests.filter(({ status }) => status === "Pass").length).toBeGreaterThanOrEqual(atLeast);
    const disabled = report.tests.filter(({ status }) => status === "Disabled").map(({ name }) => name);
    // Cancelling an upload and tags in the query are of the next version.
    expect(disabled.filter((name) => !/post-cancel|tag-param/i.test(name))).toEqual([]);
    if (version === "dev") expect(disabled).toEqual([]);
  });

  describe.each(PUSHERS)("%s", (name, push) => {
    const copied = async (image: ImageFixture): Promise<ImageFixture> => {
      const repository = `by-${name}/${image.repository}`;
      const from = { endpoint: source.endpoint, name: `${image.repository}:${image.tag}` };
      await pushWith(push, from, { endpoint, name: `${repository}:${image.tag}` });
      return { ...image, repository };
    };

    test.each(["app", "appDocker", "tool"] as const)("pushes %s, and every client has it whole", async (which) => {
      const image = await copied(fixtures[which]);
      const reply = await get(endpoint, `/v2/${image.repository}/manifests/${image.tag}`);
      expect([await reply.text(), reply.headers.get("docker-content-digest")]).toEqual([
        image.body,
        image.manifest.digest,
      ]);
      for (const client of CLIENTS) await clients.expectPull(client, endpoint, image);
    });
  });

  test.each(PUSHERS.filter(([name]) => name === "oras" || name === "regctl"))(
    "%s brings what refers to an image, by the referrers API, and regctl its signature's tag",
    async (name, push) => {
      const repository = `referring/${name}`;
      await pushWith(push, { endpoint: source.endpoint, name: "app:1.0" }, { endpoint, name: `${repository}:1.0` });
      const { manifest, artifactType } = fixtures.referrer;
      const path = `/v2/${repository}/referrers/${fixtures.app.manifest.digest}?artifactType=${artifactType}`;
      const found = (await (await get(endpoint, path)).json()) as { readonly manifests: readonly unknown[] };
      expect(found.manifests).toMatchObject([{ digest: manifest.digest, artifactType }]);
      if (name === "oras") return;
      const signature = await get(endpoint, `/v2/${repository}/manifests/${fixtures.signature.tag}`);
      expect(signature.headers.get("docker-content-digest")).toBe(fixtures.signature.manifest.digest);
    },
  );

  test("content by sha512 is pushed and pulled", async () => {
    const pushed = await pushFixtures(endpoint, { prefix: "fixtures/" });
    if (pushed.toolSha512 === undefined) throw new Error("it was refused");
    for (const client of ["oras", "regctl"] as const) await clients.expectPull(client, endpoint, pushed.toolSha512);
  });

  test.each(ENGINE_PUSHERS)("%s pushes what it pulled, and other clients have the same", async (name, push) => {
    const repository = `by-${name}/tool`;
    await using own = await temporaryFolder(name);
    const from = { endpoint: source.endpoint, name: "tool:2.1" };
    const digest = await push(clients, from, { endpoint, name: `${repository}:2.1` }, own.path);
    for (const client of ["skopeo", "podman", "containerd", "docker"] as const) {
      expect(await clients.pull(client, endpoint, fixtures.tool, { repository })).toMatchObject({
        kind: "pulled",
        digest,
      });
    }
  });

  test("helm pushes a chart and pulls the same", async () => {
    const home = join(folder.path, `helm-${endpoint.scheme}`);
    const chart = join(home, "demo");
    await mkdir(join(chart, "templates"), { recursive: true });
    await writeFile(join(chart, "Chart.yaml"), "apiVersion: v2\nname: demo\nversion: 0.1.0\n");
    await writeFile(
      join(chart, "templates", "map.yaml"),
      "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: demo }\n",
    );
    const env = { HELM_CACHE_HOME: home, HELM_CONFIG_HOME: home, HELM_DATA_HOME: home };
    const helm = (...args: readonly string[]): Promise<string> =>
      mustRun([binary("helm"), ...args], { cwd: home, env });
    const { credentials, caFile, host } = endpoint;
    const trust = caFile === undefined ? ["--plain-http"] : ["--ca-file", caFile];
    if (credentials !== undefined) {
      const user = ["--username", credentials.username, "--password", credentials.password];
      await helm("registry", "login", host, ...user, ...trust);
    }
    await helm("package", "demo");
    await helm("push", "demo-0.1.0.tgz", `oci://${host}/charts`, ...trust);
    await mkdir(join(home, "pulled"));
    await helm("pull", `oci://${host}/charts/demo`, "--version", "0.1.0", "--destination", "pulled", ...trust);
    const [pushed, pulled] = await Promise.all(
      ["demo-0.1.0.tgz", "pulled/demo-0.1.0.tgz"].map((file) => Bun.file(join(home, file)).bytes()),
    );
    expect(Buffer.compare(pushed!, pulled!)).toBe(0);
    const tags = await get(endpoint, "/v2/charts/demo/tags/list");
    expect(await tags.json()).toEqual({ name: "charts/demo", tags: ["0.1.0"] });
  });
});

describe("with users", () => {
  let periplus: Periplus;
  beforeAll(async () => {
    periplus = await startGuarded();
    await pushFixtures(periplus.endpoint, { prefix: "public/" });
    await pushFixtures(periplus.endpoint, { prefix: "private/" });
  });
  afterAll(() => periplus[Symbol.asyncDispose]());

  test.each(CLIENTS)("%s pulls without a name what is public, and nothing else", async (client) => {
    const anonymous = withoutUser(periplus.endpoint);
    const image = (prefix: string): ImageFixture => ({ ...fixtures.tool, repository: `${prefix}/tool` });
    await clients.expectPull(client, anonymous, image("public"));
    expect((await clients.pull(client, anonymous, image("private"))).kind).toBe("refused");
    await clients.expectPull(client, periplus.endpoint, image("private"));
  });

  test.each(PUSHERS)("%s pushes nothing without a name or with a wrong password", async (_, push) => {
    const from = { endpoint: source.endpoint, name: "tool:2.1" };
    const wrong = { ...periplus.endpoint, credentials: { ...USER, password: "wrong" } };
    for (const endpoint of [withoutUser(periplus.endpoint), wrong]) {
      const refused = await pushWith(push, from, { endpoint, name: "public/other:1" }).then(
        () => "pushed",
        () => "refused",
      );
      expect(refused).toBe("refused");
    }
    expect((await get(periplus.endpoint, "/v2/public/other/tags/list")).status).toBe(404);
  });

  test("a tag that never changes is pushed once", async () => {
    const to = { endpoint: periplus.endpoint, name: "public/once:fixed" };
    const push = async (name: string): Promise<string> => {
      const config = await dockerConfig(periplus.endpoint, folder.path);
      const env = { DOCKER_CONFIG: config, SSL_CERT_FILE: periplus.endpoint.caFile ?? "" };
      const command = [binary("crane"), "copy", `${source.endpoint.host}/${name}`, `${to.endpoint.host}/${to.name}`];
      return mustRun(command, { env }).then(() => "pushed", String);
    };
    expect(await push("tool:2.1")).toBe("pushed");
    expect(await push("tool:2.1")).toBe("pushed");
    expect(await push("app:1.0")).toContain("never changes");
  });
});
