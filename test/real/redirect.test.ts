import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Bucket, startBucket } from "./bucket.ts";
import { COPYING_CLIENTS } from "./clients.ts";
import { get, urlOf } from "./endpoint.ts";
import { type Fixtures, pushFixtures } from "./fixtures.ts";
import { type Periplus, startPeriplus } from "./periplus.ts";
import { mustRun, temporaryFolder } from "./process.ts";
import { CLIENTS, type Clients, startClients } from "./pulling.ts";
import { type Registry, startRegistry } from "./registry.ts";
import { binary } from "./versions.ts";

let clients: Clients;
let upstream: Registry;
let fixtures: Fixtures;

beforeAll(async () => {
  [clients, upstream] = await Promise.all([startClients(), startRegistry()]);
  fixtures = await pushFixtures(upstream.endpoint);
});

afterAll(async () => {
  await Promise.all([clients, upstream].map((part) => part[Symbol.asyncDispose]()));
});

/** A redirector to the upstream, as registry.k8s.io is one, with the one bucket. */
function redirector(bucketUrl: string, from: Registry, more: Record<string, unknown> = {}): Promise<Periplus> {
  return startPeriplus({
    config: {
      storage: undefined,
      upstreams: { "registry.test": { url: urlOf(from.endpoint) } },
      rules: [{ match: "*", upstream: "registry.test", serve: "redirect" }],
      redirect: { buckets: [{ name: "near", url: bucketUrl, default: true }], ...more },
    },
  });
}

/** The layers of the app's first platform: the bucket holds the first two, the third only the upstream. */
function layers(): readonly string[] {
  return fixtures.app.platforms[0]!.layers.map(({ digest }) => digest);
}

async function blobsOf(digests: readonly string[]): Promise<ReadonlyMap<string, Uint8Array<ArrayBuffer>>> {
  const blob = async (digest: string): Promise<readonly [string, Uint8Array<ArrayBuffer>]> => {
    const response = await get(upstream.endpoint, `/v2/app/blobs/${digest}`);
    return [digest, new Uint8Array(await response.arrayBuffer())];
  };
  return new Map(await Promise.all(digests.map(blob)));
}

async function upstreamGave(since: number): Promise<readonly string[]> {
  const asked = (await upstream.requests()).slice(since);
  const given = asked.filter(({ method, status }) => method === "GET" && status === 200);
  return given.flatMap(({ target }) => /\/blobs\/(sha256:[0-9a-f]{64})$/.exec(target)?.[1] ?? []);
}

describe("with a bucket that holds two of three layers", () => {
  let bucket: Bucket;
  let periplus: Periplus;

  beforeAll(async () => {
    bucket = startBucket(await blobsOf(layers().slice(0, 2)));
    periplus = await redirector(bucket.url, upstream);
  });

  afterAll(async () => {
    await Promise.all([periplus, bucket].map((part) => part[Symbol.asyncDispose]()));
  });

  test.each(CLIENTS)("%s pulls these from the bucket and the rest from the upstream", async (client) => {
    const before = { bucket: bucket.given.length, upstream: (await upstream.requests()).length };
    await clients.expectPull(client, periplus.endpoint, fixtures.app);
    expect(new Set(bucket.given.slice(before.bucket))).toEqual(new Set(layers().slice(0, 2)));
    const fromUpstream = await upstreamGave(before.upstream);
    expect(layers().map((digest) => fromUpstream.includes(digest))).toEqual([false, false, true]);
  });

  test("a redirector has no storage", async () => {
    const { stdout } = Bun.spawnSync(["ls", periplus.folder]);
    expect(stdout.toString().trim().split("\n").toSorted()).toEqual(["periplus.log", "periplus.yaml"]);
  });
});

test.each(["is gone", "fails", "hangs"] as const)("with a bucket that %s, pulls go to the upstream", async (mood) => {
  await using bucket = startBucket(await blobsOf(layers()), mood === "is gone" ? "serves" : mood);
  if (mood === "is gone") await bucket[Symbol.asyncDispose]();
  await using periplus = await redirector(bucket.url, upstream);
  for (const client of ["crane", "containerd"] as const) {
    const before = (await upstream.requests()).length;
    await clients.expectPull(client, periplus.endpoint, fixtures.app);
    expect(await upstreamGave(before)).toEqual(expect.arrayContaining([...layers()]));
  }
});

describe("with signatures kept elsewhere", () => {
  let images: Registry;
  let periplus: Periplus;

  beforeAll(async () => {
    images = await startRegistry();
    const [from, to] = [upstream.endpoint.host, images.endpoint.host];
    await mustRun([binary("crane"), "copy", `${from}/app:1.0`, `${to}/app:1.0`]);
    periplus = await redirector("http://127.0.0.1:9/none", images, { signatures: urlOf(upstream.endpoint) });
  });

  afterAll(async () => {
    await Promise.all([periplus, images].map((part) => part[Symbol.asyncDispose]()));
  });

  test.each(COPYING_CLIENTS)("$name pulls the signature, its manifest and its blobs", async (client) => {
    const { signature } = fixtures;
    await using folder = await temporaryFolder("signature");
    const source = { endpoint: periplus.endpoint, repository: "app", reference: signature.tag };
    expect(await client.pull(source, folder.path)).toMatchObject({ kind: "pulled", digest: signature.manifest.digest });
  });

  test("oras discovers what refers to the image", async () => {
    const image = `${periplus.endpoint.host}/app:1.0`;
    const found = await mustRun([binary("oras"), "discover", "--plain-http", "--format", "json", image]);
    expect(found).toContain(fixtures.referrer.manifest.digest);
  });

  test.each(CLIENTS)("%s pulls the image itself", async (client) => {
    await clients.expectPull(client, periplus.endpoint, fixtures.app);
  });
});
