import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createPublicKey, verify } from "node:crypto";
import { readFile } from "node:fs/promises";
import { type Endpoint, get, urlOf } from "./endpoint.ts";
import { type Fixtures, pushFixtures } from "./fixtures.ts";
import { SIGNATURE_ANNOTATION } from "./images.ts";
import type { Descriptor, ManifestJson } from "./layout.ts";
import { type PagingUpstream, startPagingUpstream } from "./paging-upstream.ts";
import { type Periplus, startPeriplus } from "./periplus.ts";
import { mustRun, temporaryFolder } from "./process.ts";
import { COPYING_CLIENTS } from "./clients.ts";
import { type Registry, startRegistry } from "./registry.ts";
import { binary } from "./versions.ts";

const SBOM = "application/vnd.example.report.v1+json";
const SCAN = "application/vnd.example.scan.v1+json";

let registry: Registry;
let fixtures: Fixtures;
let paging: PagingUpstream;
let periplus: Periplus;
let reports: readonly Descriptor[];

/** `registry.test` is distribution, which has the tag scheme only; `paging.test` has the API, and pages of four. */
beforeAll(async () => {
  registry = await startRegistry();
  fixtures = await pushFixtures(registry.endpoint);
  const { manifest } = fixtures.referrer;
  const report = (index: number): Descriptor => ({
    ...manifest,
    digest: `sha256:${String(index).padStart(64, "0")}`,
    artifactType: index % 2 === 0 ? SBOM : SCAN,
  });
  reports = Array.from({ length: 10 }, (_, index) => report(index));
  paging = startPagingUpstream(registry.endpoint, 4, { of: fixtures.app.manifest.digest, referrers: reports });
  periplus = await startPeriplus({
    config: {
      upstreams: {
        "registry.test": { url: urlOf(registry.endpoint) },
        "paging.test": { url: urlOf(paging.endpoint) },
      },
      rules: [{ match: "*", serve: "cache" }],
    },
  });
});

afterAll(async () => {
  await Promise.all([periplus, paging, registry].map((part) => part[Symbol.asyncDispose]()));
});

/** A program's standard output; `HOST` in the arguments is Periplus. */
async function output(name: string, args: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const at = (text: string): string => text.replaceAll("HOST", periplus.endpoint.host);
  return mustRun([binary(name), ...args.map(at)], { env });
}

function regctl(args: readonly string[]): Promise<string> {
  return output("regctl", ["--host", "reg=HOST,tls=disabled", ...args]);
}

async function oras(args: readonly string[]): Promise<readonly Descriptor[]> {
  const { referrers } = JSON.parse(await output("oras", ["discover", "--plain-http", "--format", "json", ...args])) as {
    referrers: readonly Descriptor[];
  };
  return referrers;
}

function lines(text: string): readonly string[] {
  return text.trim().split("\n");
}

describe("signatures", () => {
  test.each(COPYING_CLIENTS)("$name pulls the signature by its tag", async (client) => {
    const { signature } = fixtures;
    await using folder = await temporaryFolder("signature");
    const source = { endpoint: periplus.endpoint, repository: "registry.test/app", reference: signature.tag };
    expect(await client.pull(source, folder.path)).toMatchObject({ kind: "pulled", digest: signature.manifest.digest });
  });

  test("what crane gets of it verifies", async () => {
    const { app, signature } = fixtures;
    const manifest = JSON.parse(await output("crane", ["manifest", `HOST/registry.test/app:${signature.tag}`]));
    const [layer] = (manifest as ManifestJson).layers ?? [];
    const payload = await output("crane", ["blob", `HOST/registry.test/app@${layer!.digest}`]);
    const signed = Buffer.from(layer!.annotations?.[SIGNATURE_ANNOTATION] ?? "", "base64");
    const key = createPublicKey(await readFile(signature.publicKeyFile));
    expect(verify("sha256", Buffer.from(payload), key, signed)).toBe(true);
    expect(payload).toContain(app.manifest.digest);
  });
});

describe("referrers", () => {
  test.each([
    ["whichever way there is", []],
    ["the API", ["--distribution-spec", "v1.1-referrers-api"]],
    ["the tag scheme", ["--distribution-spec", "v1.1-referrers-tag"]],
  ])("oras discovers what stands under the fallback tag, by %s", async (_, spec) => {
    const { referrer } = fixtures;
    const found = await oras([...spec, "HOST/registry.test/app:1.0"]);
    expect(found.map(({ digest, artifactType }) => ({ digest, artifactType }))).toEqual([
      { digest: referrer.manifest.digest, artifactType: referrer.artifactType },
    ]);
  });

  test("oras copies an image with what refers to it", async () => {
    await using folder = await temporaryFolder("recursive");
    const to = ["--to-oci-layout", `${folder.path}/layout:1.0`];
    await output("oras", ["cp", "--recursive", "--no-tty", "--from-plain-http", "HOST/registry.test/app:1.0", ...to]);
    const { referrer } = fixtures;
    const blob = Bun.file(`${folder.path}/layout/blobs/sha256/${referrer.manifest.digest.slice("sha256:".length)}`);
    expect(blob.size).toBe(referrer.manifest.size);
  });

  test("regctl lists what stands under the fallback tag", async () => {
    const listed = await regctl([
      "artifact",
      "list",
      "HOST/registry.test/app:1.0",
      "--format",
      "{{json .Descriptors}}",
    ]);
    expect((JSON.parse(listed) as Descriptor[]).map(({ digest }) => digest)).toEqual([
      fixtures.referrer.manifest.digest,
    ]);
  });

  test("what has none has an empty index", async () => {
    const { digest } = fixtures.tool.manifest;
    for (const host of ["registry.test", "paging.test"]) {
      const answer = await get(periplus.endpoint, `/v2/${host}/tool/referrers/${digest}`);
      expect([answer.status, await answer.json()]).toEqual([200, expect.objectContaining({ manifests: [] })]);
    }
  });

  test("the API's pages come as they are, each with a way to the next one through here", async () => {
    const path = `/v2/paging.test/app/referrers/${fixtures.app.manifest.digest}`;
    expect(await allPages(periplus.endpoint, path, "manifests")).toEqual(reports);
    const scans = reports.filter(({ artifactType }) => artifactType === SCAN);
    const query = `?artifactType=${encodeURIComponent(SCAN)}`;
    expect(await allPages(periplus.endpoint, `${path}${query}`, "manifests")).toEqual(scans);
    const first = await get(periplus.endpoint, `${path}${query}`);
    expect(first.headers.get("oci-filters-applied")).toBe("artifactType");
  });

  test.each([
    ["all types", undefined],
    ["one type", SBOM],
    ["another type", SCAN],
  ])("oras discovers all of the API's pages, %s", async (_, type) => {
    const filter = type === undefined ? [] : ["--artifact-type", type];
    const found = await oras(["--depth", "1", ...filter, "HOST/paging.test/app:1.0"]);
    const wanted = reports.filter(({ artifactType }) => type === undefined || artifactType === type);
    expect(found.map(({ digest }) => digest).toSorted()).toEqual(wanted.map(({ digest }) => digest).toSorted());
  });
});

describe("tags", () => {
  const commands: readonly (readonly [string, (name: string) => Promise<readonly string[]>])[] = [
    ["crane", async (name) => lines(await output("crane", ["ls", name]))],
    ["oras", async (name) => lines(await output("oras", ["repo", "tags", "--plain-http", name]))],
    ["skopeo", async (name) => skopeoTags(name)],
  ];

  test.each(commands)("%s lists all of them", async (_, list) => {
    expect(await list("HOST/registry.test/many")).toEqual(fixtures.many.tags);
  });

  test.each(commands)("%s follows the pages of an upstream that gives few at once", async (_, list) => {
    const before = paging.asked.length;
    expect(await list("HOST/paging.test/many")).toEqual(fixtures.many.tags);
    expect(paging.asked.length - before).toBe(Math.ceil(fixtures.many.tags.length / 4));
  });

  test("regctl lists a page of its choice", async () => {
    const page = await regctl(["tag", "ls", "HOST/registry.test/many", "--limit", "12", "--last", "v03"]);
    expect(lines(page)).toEqual(fixtures.many.tags.slice(4, 16));
  });

  test.each([
    ["registry.test", "?n=7"],
    ["paging.test", "?n=3"],
    ["paging.test", ""],
  ])("the pages of %s%s lead to all of them", async (host, query) => {
    expect(await allPages(periplus.endpoint, `/v2/${host}/many/tags/list${query}`, "tags")).toEqual(fixtures.many.tags);
  });

  test("the way to the next page keeps ?ns=", async () => {
    const tags = await allPages(periplus.endpoint, "/v2/many/tags/list?n=7&ns=registry.test", "tags");
    expect(tags).toEqual(fixtures.many.tags);
  });
});

test("with the upstreams gone, lists that were seen are served with a Warning, and others are no 404", async () => {
  await Promise.all([registry.running.stop(), paging[Symbol.asyncDispose]()]);
  expect(lines(await output("crane", ["ls", "HOST/registry.test/many"]))).toEqual(fixtures.many.tags);
  const [referrer] = await oras(["HOST/registry.test/app:1.0"]);
  expect(referrer?.digest).toBe(fixtures.referrer.manifest.digest);
  const held = await get(periplus.endpoint, "/v2/paging.test/many/tags/list");
  expect([held.status, held.headers.get("warning")]).toEqual([200, expect.stringContaining("stale")]);
  const unknown = await get(periplus.endpoint, "/v2/paging.test/app/tags/list");
  expect([unknown.status, await unknown.json()]).toMatchObject([502, { errors: [{ code: "UNAVAILABLE" }] }]);
});

async function skopeoTags(name: string): Promise<readonly string[]> {
  const printed = await output("skopeo", ["list-tags", "--tls-verify=false", `docker://${name}`]);
  return (JSON.parse(printed) as { Tags: readonly string[] }).Tags;
}

/** Follows `Link` as it is written, relative to the endpoint. RFC 8288. */
async function allPages(endpoint: Endpoint, path: string, key: "tags" | "manifests"): Promise<readonly unknown[]> {
  const found: unknown[] = [];
  for (let next: string | undefined = path; next !== undefined; ) {
    const answer: Response = await get(endpoint, next);
    const page = (await answer.json()) as Readonly<Record<string, readonly unknown[]>>;
    found.push(...(page[key] ?? []));
    next = /^<(\/[^>]+)>; rel="next"$/.exec(answer.headers.get("link") ?? "")?.[1];
  }
  return found;
}
