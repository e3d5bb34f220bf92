import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash, createPublicKey, verify } from "node:crypto";
import { readFile } from "node:fs/promises";
import { allClients, type Client, type Pulled } from "./clients.ts";
import { runConformance } from "./conformance.ts";
import { type Containerd, startContainerd } from "./containerd.ts";
import { type Endpoint, get } from "./endpoint.ts";
import { digestsOf, type Fixtures, type ImageFixture, pushFixtures } from "./fixtures.ts";
import { SIGNATURE_ANNOTATION } from "./images.ts";
import type { Descriptor, ManifestJson } from "./layout.ts";
import { createPodman, type Podman } from "./podman.ts";
import { temporaryFolder } from "./process.ts";
import { type Registry, type RegistryOptions, startRegistry } from "./registry.ts";

const CLIENTS = ["crane", "skopeo", "oras", "regctl", "podman", "containerd"] as const;
const IMAGES = ["app", "appDocker", "tool"] as const;
const USER = { username: "ann", password: "s3cret" };
const MIB = 1024 * 1024;

const REGISTRIES: readonly (readonly [string, RegistryOptions])[] = [
  ["distribution with htpasswd", { access: { kind: "htpasswd", user: USER } }],
  ["distribution with tokens", { access: { kind: "token", user: USER } }],
  ["distribution with TLS", { tls: true }],
  ["distribution with TLS and tokens", { tls: true, access: { kind: "token", user: USER } }],
  ["docker-registry", { program: "docker-registry" }],
  [
    "docker-registry with TLS and htpasswd",
    { program: "docker-registry", tls: true, access: { kind: "htpasswd", user: USER } },
  ],
];

let registry: Registry;
let fixtures: Fixtures;
let podman: Podman;
let containerd: Containerd;
let clients: readonly Client[];

beforeAll(async () => {
  [registry, podman, containerd] = await Promise.all([startRegistry(), createPodman(), startContainerd()]);
  fixtures = await pushFixtures(registry.endpoint);
  clients = allClients({ podman, containerd });
});

afterAll(async () => {
  await Promise.all([containerd, podman, registry].map((part) => part[Symbol.asyncDispose]()));
});

function client(name: string): Client {
  const found = clients.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`no client ${name}`);
  return found;
}

async function pull(name: string, endpoint: Endpoint, image: ImageFixture, reference = image.tag): Promise<Pulled> {
  await using folder = await temporaryFolder(name);
  return await client(name).pull({ endpoint, repository: image.repository, reference }, folder.path);
}

/** The whole image is there, or as much of it as this client keeps. */
function expectPulled(pulled: Pulled, image: ImageFixture, keeps: Client["keeps"]): void {
  if (pulled.kind === "refused") throw new Error(pulled.output);
  expect(pulled.digest).toBe(image.manifest.digest);
  const [platform] = image.platforms;
  const wanted = {
    everything: digestsOf(image),
    "one platform": digestsOf(image, "linux/amd64"),
    "manifest and config": [image.manifest.digest, platform!.config.digest],
  }[keeps];
  expect(wanted.filter((digest) => !pulled.content.has(digest))).toEqual([]);
}

async function body(path: string, accept = "*/*"): Promise<Buffer> {
  const response = await get(registry.endpoint, path, { headers: { accept } });
  expect(response.status).toBe(200);
  return Buffer.from(await response.arrayBuffer());
}

describe("fixtures", () => {
  test.each(IMAGES)("%s is served byte for byte under its tag", async (name) => {
    const { repository, tag, manifest, body: bytes } = fixtures[name];
    const served = await body(`/v2/${repository}/manifests/${tag}`, manifest.mediaType);
    expect(served.toString()).toBe(bytes);
    expect(`sha256:${createHash("sha256").update(served).digest("hex")}`).toBe(manifest.digest);
  });

  const index = "application/vnd.oci.image.index.v1+json";
  const list = "application/vnd.docker.distribution.manifest.list.v2+json";
  const manifest = "application/vnd.oci.image.manifest.v1+json";
  const twoPlatforms = ["linux/amd64 1.0 20.0 0.0", "linux/arm64 1.0 20.0 0.0"];
  test.each([
    ["app", index, twoPlatforms],
    ["appDocker", list, twoPlatforms],
    ["tool", manifest, ["linux/amd64 1.0 0.3 0.0"]],
  ] as const)("%s is of its media type, with layers of these MiB", (name, mediaType, shapes) => {
    const image = fixtures[name];
    const sizes = (layers: readonly Descriptor[]): string =>
      layers.map(({ size }) => (size / MIB).toFixed(1)).join(" ");
    expect(image.manifest.mediaType).toBe(mediaType);
    expect(image.platforms.map(({ platform, layers }) => `${platform} ${sizes(layers)}`)).toEqual([...shapes]);
  });

  test("the signature of the app is found by its tag and verifies", async () => {
    const { app, signature } = fixtures;
    const text = await body(`/v2/${app.repository}/manifests/${signature.tag}`, signature.manifest.mediaType);
    const [layer] = (JSON.parse(text.toString()) as ManifestJson).layers ?? [];
    const payload = await body(`/v2/${app.repository}/blobs/${layer!.digest}`);
    const signed = Buffer.from(layer!.annotations?.[SIGNATURE_ANNOTATION] ?? "", "base64");
    const key = createPublicKey(await readFile(signature.publicKeyFile));
    expect(verify("sha256", payload, key, signed)).toBe(true);
    expect(payload.toString()).toContain(app.manifest.digest);
  });

  test("the referrer of the app is listed under the fallback tag", async () => {
    const { app, referrer } = fixtures;
    const text = await body(
      `/v2/${app.repository}/manifests/${referrer.fallbackTag}`,
      "application/vnd.oci.image.index.v1+json",
    );
    const listed = (JSON.parse(text.toString()) as ManifestJson).manifests ?? [];
    expect(listed.map(({ digest, artifactType }) => ({ digest, artifactType }))).toEqual([
      { digest: referrer.manifest.digest, artifactType: referrer.artifactType },
    ]);
  });

  test("many tags come in pages", async () => {
    const { repository, tags } = fixtures.many;
    const first = await get(registry.endpoint, `/v2/${repository}/tags/list?n=12`);
    expect(await first.json()).toEqual({ name: repository, tags: tags.slice(0, 12) });
    expect(first.headers.get("link")).toContain(`last=${tags[11]}`);
  });

  test("blobs with sha512 digests are accepted and served", async () => {
    const image = fixtures.toolSha512!;
    for (const { digest } of image.platforms[0]!.layers) {
      const bytes = await body(`/v2/${image.repository}/blobs/${digest}`);
      expect(`sha512:${createHash("sha512").update(bytes).digest("hex")}`).toBe(digest);
    }
  });
});

describe("pulls from distribution", () => {
  const table = CLIENTS.flatMap((name) => IMAGES.map((image) => [name, image] as const));
  test.each(table)("%s pulls %s by tag", async (name, image) => {
    expectPulled(await pull(name, registry.endpoint, fixtures[image]), fixtures[image], client(name).keeps);
  });

  test.each(CLIENTS)("%s pulls app by digest", async (name) => {
    const { app } = fixtures;
    expectPulled(await pull(name, registry.endpoint, app, app.manifest.digest), app, client(name).keeps);
  });

  test.each(CLIENTS)("%s is refused a tag that is not there", async (name) => {
    expect(await pull(name, registry.endpoint, fixtures.tool, "9.9")).toMatchObject({ kind: "refused" });
  });

  test("containerd asks a mirror with ?ns=", async () => {
    const { tool } = fixtures;
    await using folder = await temporaryFolder("containerd");
    const source = {
      endpoint: registry.endpoint,
      repository: tool.repository,
      reference: tool.tag,
      namespace: "mirrored.test",
    };
    expectPulled(await client("containerd").pull(source, folder.path), tool, "one platform");
    const asked = (await registry.requests()).map(({ method, target, status }) => `${method} ${target} ${status}`);
    expect(asked).toContain(`HEAD /v2/${tool.repository}/manifests/${tool.tag}?ns=mirrored.test 200`);
  });
});

describe.each(REGISTRIES)("%s", (_, options) => {
  let other: Registry;
  let pushed: Fixtures;

  beforeAll(async () => {
    other = await startRegistry(options);
    pushed = await pushFixtures(other.endpoint, { prefix: "team/" });
  });

  afterAll(async () => other[Symbol.asyncDispose]());

  test.each(CLIENTS)("%s pulls", async (name) => {
    expectPulled(await pull(name, other.endpoint, pushed.tool), pushed.tool, client(name).keeps);
  });

  const guarded = options.access === undefined ? [] : ["oras", "skopeo", "podman"];
  test.each(guarded)("refuses %s with a wrong password", async (name) => {
    const endpoint = { ...other.endpoint, credentials: { ...USER, password: "wrong" } };
    expect(await pull(name, endpoint, pushed.tool)).toMatchObject({ kind: "refused" });
  });
});

test("tokens are asked for by scope, and an anonymous one may pull where that is allowed", async () => {
  const access = { kind: "token", user: USER, anonymousPull: true } as const;
  await using other = await startRegistry({ access });
  const { tool } = await pushFixtures(other.endpoint);
  const before = other.tokens!.requests.length;
  const { credentials: _, ...anonymous } = other.endpoint;
  expectPulled(await pull("crane", anonymous, tool), tool, "everything");
  const asked = other.tokens!.requests.slice(before);
  expect(asked).toEqual([{ scopes: ["repository:tool:pull"], user: undefined }]);
});

test("distribution as a proxy fetches each blob once and answers from its copy when the upstream is gone", async () => {
  await using upstream = await startRegistry();
  const { tool } = await pushFixtures(upstream.endpoint);
  await using proxy = await startRegistry({ proxyOf: upstream.endpoint });
  expectPulled(await pull("crane", proxy.endpoint, tool), tool, "everything");
  await upstream.running.stop();
  expectPulled(await pull("oras", proxy.endpoint, tool, tool.manifest.digest), tool, "everything");
});

test("a registry starts again on the same port and data", async () => {
  await using data = await temporaryFolder("data");
  const first = await startRegistry({ dataFolder: data.path });
  const { tool } = await pushFixtures(first.endpoint);
  await first[Symbol.asyncDispose]();
  await using second = await startRegistry({ dataFolder: data.path, port: first.port });
  expect(second.endpoint).toEqual(first.endpoint);
  expectPulled(await pull("regctl", second.endpoint, tool), tool, "everything");
});

test("the conformance suite passes in its read-only profile", async () => {
  const { app } = fixtures;
  const [platform] = app.platforms;
  const report = await runConformance({
    endpoint: registry.endpoint,
    repository: app.repository,
    tags: [app.tag],
    manifests: [app.manifest.digest, platform!.manifest.digest],
    blobs: [platform!.config.digest, ...platform!.layers.map(({ digest }) => digest)],
  });
  const ran = report.tests.filter(({ status }) => status !== "Disabled");
  expect(ran.filter(({ status }) => status !== "Pass")).toEqual([]);
  for (const api of ["Tag listing", "Blob get", "Blob head", "Manifest get by digest", "Manifest get by tag"]) {
    expect([api, report.apis.get(api)]).toEqual([api, "Pass"]);
  }
});
