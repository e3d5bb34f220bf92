import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { s3Target } from "../../src/fill/s3-target.ts";
import { targetContract } from "../../src/fill/testing/target-contract.ts";
import { systemClock } from "../../src/registry/clock.ts";
import { createS3Bucket } from "../../src/s3/client.ts";
import { signedHeaders } from "../../src/s3/sign.ts";
import { COPYING_CLIENTS } from "./clients.ts";
import { get, urlOf } from "./endpoint.ts";
import { digestsOf, type Fixtures, pushFixtures } from "./fixtures.ts";
import { type Periplus, startPeriplus } from "./periplus.ts";
import { type Finished, run, temporaryFolder, type TemporaryFolder } from "./process.ts";
import { type Registry, startRegistry } from "./registry.ts";
import { type S3Server, startS3Server } from "./s3-server.ts";

const PERIPLUS = join(import.meta.dir, "..", "..", "bin", "periplus");
const BUCKETS = ["contract", "near", "far", "spare"] as const;

let s3: S3Server;
let upstream: Registry;
let fixtures: Fixtures;
let folder: TemporaryFolder;
let prefixes = 0;

beforeAll(async () => {
  [s3, upstream, folder] = await Promise.all([
    startS3Server({ buckets: BUCKETS }),
    startRegistry(),
    temporaryFolder("fill"),
  ]);
  fixtures = await pushFixtures(upstream.endpoint);
});
afterAll(async () => {
  await Promise.all([s3, upstream, folder].map((part) => part[Symbol.asyncDispose]()));
});

targetContract("S3", async () => {
  const prefix = `of-${prefixes++}`;
  const settings = {
    bucket: "contract",
    prefix,
    endpoint: s3.endpoint,
    region: s3.region,
    pathStyle: true,
    credentials: { kind: "none" },
    ca: undefined,
    insecure: false,
    proxy: undefined,
    mayBePrivate: true,
  } as const;
  const path = join(s3.dataFolder, "contract", prefix);
  const bucket = createS3Bucket({ settings, credentials: async () => s3.credential });
  return {
    target: s3Target(bucket, systemClock),
    plant: async (name, bytes) => {
      const url = new URL(`${s3.endpoint}/contract/${prefix}/${encodeURIComponent(name)}`);
      expect((await putSigned(url, bytes)).status).toBe(200);
    },
    // The store keeps what is on its way in folders of its own.
    names: async () => (await readdir(path).catch(() => [])).filter((name) => !name.startsWith(".")),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
});

/** `periplus fill` with the store's key in the environment. */
function fill(words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Finished> {
  const { accessKeyId, secretAccessKey } = s3.credential;
  const keys = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
  return run([PERIPLUS, "fill", ...words], { env: { ...keys, ...env }, cwd: folder.path, timeoutMs: 60_000 });
}

function placeOf(bucket: string, prefix = "containers/images"): string {
  return `s3://${bucket}/${prefix}?endpoint=${s3.endpoint}&region=${s3.region}`;
}

function objectsOf(bucket: string, prefix = "containers/images"): Promise<readonly string[]> {
  return readdir(join(s3.dataFolder, bucket, prefix)).catch(() => []);
}

/** Configs and layers of an image, each once. */
function blobsOf(image: Fixtures["app"]): readonly string[] {
  const all = image.platforms.flatMap(({ config, layers }) => [config, ...layers].map(({ digest }) => digest));
  return [...new Set(all)].toSorted();
}

async function blobsGiven(): Promise<number> {
  const asked = await upstream.requests();
  return asked.filter(({ method, target }) => method === "GET" && target.includes("/blobs/")).length;
}

/** A write as others make it, without a condition. */
function putSigned(url: URL, body: Uint8Array<ArrayBuffer>): Promise<Response> {
  const payloadSha256 = new Bun.CryptoHasher("sha256").update(body).digest("hex");
  const signing = { credential: s3.credential, region: s3.region, epochMs: Date.now() };
  const headers = { ...signedHeaders({ method: "PUT", url, headers: {}, payloadSha256 }, signing) };
  return fetch(url, { method: "PUT", headers, body });
}

/** Lets everybody read a bucket's objects. */
async function publish(bucket: string): Promise<void> {
  const statement = {
    Effect: "Allow",
    Principal: "*",
    Action: ["s3:GetObject"],
    Resource: [`arn:aws:s3:::${bucket}/*`],
  };
  const body = new TextEncoder().encode(JSON.stringify({ Version: "2012-10-17", Statement: [statement] }));
  const response = await putSigned(new URL(`${s3.endpoint}/${bucket}?policy=`), body);
  expect(response.status).toBe(204);
}

describe("a redirector with a bucket that is public", () => {
  let periplus: Periplus;
  let image: string;

  beforeAll(async () => {
    image = "registry.test/app:1.0";
    await publish("near");
    periplus = await startPeriplus({
      config: {
        storage: undefined,
        upstreams: { "registry.test": { url: urlOf(upstream.endpoint) } },
        rules: [{ match: "*", upstream: "registry.test", serve: "redirect" }],
        redirect: {
          buckets: [
            {
              name: "near",
              url: `${s3.endpoint}/near/containers/images`,
              default: true,
              fill: { bucket: "near", prefix: "containers/images", endpoint: s3.endpoint, region: s3.region },
            },
          ],
        },
      },
    });
  });
  afterAll(() => periplus[Symbol.asyncDispose]());

  async function locationOf(digest: string): Promise<string> {
    const answer = await get(periplus.endpoint, `/v2/app/blobs/${digest}`, { redirect: "manual" });
    return answer.headers.get("location") ?? "";
  }

  test("sends clients there once it is filled, without a restart", async () => {
    const [known = "", ...others] = blobsOf(fixtures.app);
    expect(await locationOf(known)).toStartWith(urlOf(upstream.endpoint));
    const words = [image, "--config", periplus.configFile];
    const plan = await fill(words);
    expect([plan.code, await objectsOf("near")]).toEqual([0, []]);
    const filled = await fill([...words, "--apply"]);
    expect([filled.stderr, filled.code]).toEqual([expect.stringContaining("1 filled, 0 failed"), 0]);
    expect((await objectsOf("near")).filter((name) => name.startsWith("sha")).toSorted()).toEqual([
      ...blobsOf(fixtures.app),
    ]);
    for (const digest of others)
      expect(await locationOf(digest)).toBe(`${s3.endpoint}/near/containers/images/${digest}`);
    // Absence is remembered for a minute.
    const until = Date.now() + 75_000;
    while ((await locationOf(known)).startsWith(urlOf(upstream.endpoint)) && Date.now() < until) await Bun.sleep(1000);
    expect(await locationOf(known)).toBe(`${s3.endpoint}/near/containers/images/${known}`);
  }, 120_000);

  test("its objects are for ever, and say so", async () => {
    const [digest = ""] = blobsOf(fixtures.app);
    const { headers } = await fetch(await locationOf(digest), { method: "HEAD" });
    expect([headers.get("content-type"), headers.get("cache-control")]).toEqual([
      "application/octet-stream",
      "public, max-age=31536000, immutable",
    ]);
  });

  test.each(COPYING_CLIENTS)("$name pulls the image, and not a blob of it from the registry", async (client) => {
    const before = await blobsGiven();
    await using into = await temporaryFolder("pulled");
    const pulled = await client.pull({ endpoint: periplus.endpoint, repository: "app", reference: "1.0" }, into.path);
    expect(pulled).toMatchObject({ kind: "pulled", digest: fixtures.app.manifest.digest });
    // skopeo makes an index of its own beside it.
    const content = pulled.kind === "pulled" ? pulled.content : new Set<string>();
    expect(digestsOf(fixtures.app).filter((digest) => !content.has(digest))).toEqual([]);
    expect(await blobsGiven()).toBe(before);
  });
});

test("every repository of a registry, in two buckets and a folder, each blob read once", async () => {
  const places = ["--to", placeOf("far"), "--to", placeOf("spare", "a/b"), "--to", "shown"];
  const before = await blobsGiven();
  const filled = await fill(["--catalog", upstream.endpoint.host, ...places, "--apply", "-o", "json"]);
  const rows = filled.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  expect([filled.code, rows.filter(({ status }) => status === "failed")]).toEqual([0, []]);
  expect(rows.filter(({ kind }) => kind === "image").length).toBeGreaterThan(33);
  const names = (await readdir(join(folder.path, "shown"))).toSorted();
  expect(await blobsGiven()).toBe(before + names.length);
  expect(names).toEqual(expect.arrayContaining([...blobsOf(fixtures.app), ...blobsOf(fixtures.tool)]));
  for (const objects of [await objectsOf("far"), await objectsOf("spare", "a/b")]) {
    expect(objects.filter((name) => name.startsWith("sha")).toSorted()).toEqual(names);
  }
  const again = await fill(["--catalog", upstream.endpoint.host, ...places, "--apply"]);
  expect([again.code, again.stderr.includes("0 objects of 0 B put")]).toEqual([0, true]);
}, 120_000);

test("--verify finds a byte that is other, and repairs it when it may", async () => {
  const image = `${upstream.endpoint.host}/tool:2.1`;
  const place = ["--to", placeOf("spare", "verified")];
  expect((await fill([image, ...place, "--apply"])).code).toBe(0);
  expect((await fill([image, ...place, "--verify=all"])).code).toBe(0);
  const [digest = ""] = blobsOf(fixtures.tool);
  const path = join(s3.dataFolder, "spare", "verified", digest);
  const bytes = await Bun.file(path).bytes();
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  await rm(path);
  await writeFile(path, bytes);
  const found = await fill([image, ...place, "--verify=all"]);
  expect([found.code, found.stderr]).toEqual([3, expect.stringContaining(`verified/${digest} has other bytes`)]);
  const repaired = await fill([image, ...place, "--verify=all", "--apply"]);
  expect([repaired.code, repaired.stdout]).toEqual([0, expect.stringContaining("1 replaced")]);
  expect((await fill([image, ...place, "--verify=all"])).code).toBe(0);
});

test("a bucket whose key is wrong has its row, and the other one is filled", async () => {
  const image = `${upstream.endpoint.host}/tool:2.1`;
  const credentials = join(folder.path, "credentials");
  await writeFile(credentials, "[bad]\naws_access_key_id = nobody\naws_secret_access_key = hunter2\n");
  const bad = `${placeOf("far", "forbidden")}&profile=bad`;
  const filled = await fill([image, "--to", bad, "--to", placeOf("far", "allowed"), "--apply"], {
    AWS_SHARED_CREDENTIALS_FILE: credentials,
  });
  expect(filled.code).toBe(1);
  expect(filled.stdout).toMatch(/^failed {2}s3:\/\/far\/forbidden .*\(\d denied\)/m);
  expect(filled.stdout).toMatch(/^filled {2}s3:\/\/far\/allowed /m);
  expect(`${filled.stdout}${filled.stderr}`).not.toContain("hunter2");
  expect((await objectsOf("far", "allowed")).length).toBeGreaterThanOrEqual(4);
});

test.each(["SIGINT", "SIGKILL"] as const)("after %s in the middle the same command goes on", async (signal) => {
  const place = placeOf("spare", `stopped-by-${signal}`);
  const words = ["fill", "--all-tags", `${upstream.endpoint.host}/app`, "--to", place, "--apply"];
  const { accessKeyId, secretAccessKey } = s3.credential;
  const env = { ...process.env, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
  const child = Bun.spawn([PERIPLUS, ...words], { env, stdout: "ignore", stderr: "ignore" });
  const until = Date.now() + 20_000;
  const isBegun = async (): Promise<boolean> => (await objectsOf("spare", `stopped-by-${signal}`)).length > 0;
  while (!(await isBegun()) && Date.now() < until) await Bun.sleep(5);
  child.kill(signal);
  await child.exited;
  const objects = (await objectsOf("spare", `stopped-by-${signal}`)).filter((name) => name.startsWith("sha256:"));
  for (const name of objects) {
    const bytes = await Bun.file(join(s3.dataFolder, "spare", `stopped-by-${signal}`, name)).bytes();
    expect(`sha256:${new Bun.CryptoHasher("sha256").update(bytes).digest("hex")}`).toBe(name);
  }
  expect((await fill([...words.slice(1), "--verify=all"])).code).toBe(0);
});
