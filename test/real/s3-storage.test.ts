import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createS3Bucket } from "../../src/s3/client.ts";
import { layoutOf } from "../../src/store/layout.ts";
import { openObjectContent } from "../../src/store/object-content.ts";
import { contentContract } from "../../src/store/testing/content-contract.ts";
import { runWholeConformance } from "./conformance.ts";
import { get } from "./endpoint.ts";
import { type Periplus, startPeriplus } from "./periplus.ts";
import { mustRun, temporaryFolder } from "./process.ts";
import { type S3Server, startS3Server } from "./s3-server.ts";
import { images, LAYOUTS } from "./images.ts";
import { binary } from "./versions.ts";

const BUCKET = "images";
let s3: S3Server;
let stores = 0;

beforeAll(async () => {
  s3 = await startS3Server({ buckets: [BUCKET] });
});
afterAll(() => s3[Symbol.asyncDispose]());

contentContract("S3", async () => {
  const folder = await temporaryFolder("object-content");
  const layout = layoutOf(folder.path);
  const settings = {
    bucket: BUCKET,
    prefix: `contract-${stores++}`,
    endpoint: s3.endpoint,
    region: s3.region,
    pathStyle: true,
    credentials: { kind: "none" },
    ca: undefined,
    insecure: false,
    proxy: undefined,
    mayBePrivate: true,
  } as const;
  const bucket = createS3Bucket({ settings, credentials: async () => s3.credential });
  const content = await openObjectContent(bucket, layout, { isLinked: false });
  return { content, layout, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
});

describe.each([
  ["streamed", false],
  ["by links", true],
])("a registry with its blobs in a bucket, %s", (name, redirectBlobs) => {
  let periplus: Periplus;

  beforeAll(async () => {
    const folder = await temporaryFolder("s3-secret");
    const secretAccessKeyFile = join(folder.path, "secret");
    await writeFile(secretAccessKeyFile, s3.credential.secretAccessKey);
    const credentials = { accessKeyId: s3.credential.accessKeyId, secretAccessKeyFile };
    const blobs = {
      bucket: BUCKET,
      prefix: name.replace(" ", "-"),
      endpoint: s3.endpoint,
      region: s3.region,
      credentials,
    };
    periplus = await startPeriplus({
      config: {
        storage: { blobs, index: join(folder.path, "index"), redirectBlobs },
        rules: [{ match: "*", serve: "store" }],
      },
    });
  });
  afterAll(() => periplus[Symbol.asyncDispose]());

  test("says at its start what is lost with the index", async () => {
    expect(await periplus.log()).toContain("the index is on this machine's disk");
  });

  test("takes an image by skopeo, and gives it by crane as it was", async () => {
    const source = `oci:${join(await images(), LAYOUTS.app)}:1.0`;
    const { host } = periplus.endpoint;
    await mustRun([binary("skopeo"), "copy", "--all", "--dest-tls-verify=false", source, `docker://${host}/app:1.0`]);
    const digest = await mustRun([binary("crane"), "digest", `${host}/app:1.0`]);
    await using folder = await temporaryFolder("pulled");
    const pulled = join(folder.path, "app");
    await mustRun([binary("crane"), "pull", "--format=oci", `${host}/app:1.0`, pulled]);
    const index = (await Bun.file(join(pulled, "index.json")).json()) as { manifests: { digest: string }[] };
    expect(index.manifests.map((manifest) => manifest.digest)).toEqual([digest.trim()]);
  });

  test("sends clients where it says that it does", async () => {
    const { host } = periplus.endpoint;
    const manifest = JSON.parse(
      await mustRun([binary("crane"), "manifest", "--platform=linux/amd64", `${host}/app:1.0`]),
    ) as {
      config: { digest: string };
    };
    const answer = await get(periplus.endpoint, `/v2/app/blobs/${manifest.config.digest}`, { redirect: "manual" });
    expect(answer.status).toBe(redirectBlobs ? 307 : 200);
    const location = answer.headers.get("location");
    expect(location?.startsWith(`${s3.endpoint}/${BUCKET}/`) ?? false).toBe(redirectBlobs);
    const elsewhere = await get(periplus.endpoint, `/v2/other/blobs/${manifest.config.digest}`, { redirect: "manual" });
    expect(elsewhere.status).toBe(404);
  });

  test("passes the conformance suite with everything on", async () => {
    const report = await runWholeConformance({ endpoint: periplus.endpoint, version: "1.1" });
    expect(report.tests.filter(({ status }) => status !== "Pass" && status !== "Disabled")).toEqual([]);
    expect(report.tests.length).toBeGreaterThan(500);
  }, 180_000);
});
