import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash, createPublicKey, verify } from "node:crypto";
import { readFile } from "node:fs/promises";
import { runConformance } from "./conformance.ts";
import { get } from "./endpoint.ts";
import { type Fixtures, pushFixtures } from "./fixtures.ts";
import { SIGNATURE_ANNOTATION } from "./images.ts";
import type { Descriptor, ManifestJson } from "./layout.ts";
import { temporaryFolder } from "./process.ts";
import { CLIENTS, type Clients, IMAGES, startClients } from "./pulling.ts";
import { REGISTRIES, type Registry, startRegistry, USER } from "./registry.ts";

const MIB = 1024 * 1024;

let registry: Registry;
let fixtures: Fixtures;
let clients: Clients;

beforeAll(async () => {
  [registry, clients] = await Promise.all([startRegistry(), startClients()]);
  fixtures = await pushFixtures(registry.endpoint);
});

afterAll(async () => {
  await clients[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
});

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
    await clients.expectPull(name, registry.endpoint, fixtures[image]);
  });

  test.each(CLIENTS)("%s pulls app by digest", async (name) => {
    const { app } = fixtures;
    await clients.expectPull(name, registry.endpoint, app, { reference: app.manifest.digest });
  });

  test.each(CLIENTS)("%s is refused a tag that is not there", async (name) => {
    const pulled = await clients.pull(name, registry.endpoint, fixtures.tool, { reference: "9.9" });
    expect(pulled).toMatchObject({ kind: "refused" });
  });

  test("containerd asks a mirror with ?ns=", async () => {
    const { tool } = fixtures;
    await clients.expectPull("containerd", registry.endpoint, tool, { namespace: "mirrored.test" });
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
    await clients.expectPull(name, other.endpoint, pushed.tool);
  });

  const guarded = options.access === undefined ? [] : (["oras", "skopeo", "podman"] as const);
  test.each(guarded)("refuses %s with a wrong password", async (name) => {
    const endpoint = { ...other.endpoint, credentials: { ...USER, password: "wrong" } };
    expect(await clients.pull(name, endpoint, pushed.tool)).toMatchObject({ kind: "refused" });
  });
});

test("tokens are asked for by scope, and an anonymous one may pull where that is allowed", async () => {
  const access = { kind: "token", user: USER, anonymousPull: true } as const;
  await using other = await startRegistry({ access });
  const { tool } = await pushFixtures(other.endpoint);
  const before = other.tokens!.requests.length;
  const { credentials: _, ...anonymous } = other.endpoint;
  await clients.expectPull("crane", anonymous, tool);
  const asked = other.tokens!.requests.slice(before);
  expect(asked).toEqual([{ scopes: ["repository:tool:pull"], user: undefined }]);
});

test("distribution as a proxy fetches each blob once and answers from its copy when the upstream is gone", async () => {
  await using upstream = await startRegistry();
  const { tool } = await pushFixtures(upstream.endpoint);
  await using proxy = await startRegistry({ proxyOf: upstream.endpoint });
  await clients.expectPull("crane", proxy.endpoint, tool);
  await upstream.running.stop();
  await clients.expectPull("oras", proxy.endpoint, tool, { reference: tool.manifest.digest });
});

test("a registry starts again on the same port and data", async () => {
  await using data = await temporaryFolder("data");
  const first = await startRegistry({ dataFolder: data.path });
  const { tool } = await pushFixtures(first.endpoint);
  await first[Symbol.asyncDispose]();
  await using second = await startRegistry({ dataFolder: data.path, port: first.port });
  expect(second.endpoint).toEqual(first.endpoint);
  await clients.expectPull("regctl", second.endpoint, tool);
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
