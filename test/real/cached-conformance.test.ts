import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type ConformanceReport, runConformance } from "./conformance.ts";
import { urlOf } from "./endpoint.ts";
import { digestsOf, type Fixtures, type ImageFixture, pushFixtures } from "./fixtures.ts";
import { type Periplus, startPeriplus } from "./periplus.ts";
import { type Registry, startRegistry } from "./registry.ts";

const APIS = ["Tag listing", "Blob get", "Blob head", "Manifest get by digest", "Manifest get by tag", "Referrers"];

let upstream: Registry;
let fixtures: Fixtures;
let periplus: Periplus;

beforeAll(async () => {
  upstream = await startRegistry();
  fixtures = await pushFixtures(upstream.endpoint);
  periplus = await startPeriplus({
    config: {
      upstreams: { "registry.test": { url: urlOf(upstream.endpoint) } },
      rules: [{ match: "*", serve: "cache" }],
    },
  });
});

afterAll(async () => {
  await Promise.all([periplus, upstream].map((part) => part[Symbol.asyncDispose]()));
});

function conformance(image: ImageFixture): Promise<ConformanceReport> {
  const manifests = [...new Set([image.manifest, ...image.platforms.map(({ manifest }) => manifest)])];
  const digests = new Set(manifests.map(({ digest }) => digest));
  return runConformance({
    endpoint: periplus.endpoint,
    repository: `registry.test/${image.repository}`,
    tags: [image.tag],
    manifests: [...digests],
    blobs: digestsOf(image).filter((digest) => !digests.has(digest)),
    referrersOf: [image.manifest.digest],
  });
}

function notPassed(report: ConformanceReport): readonly string[] {
  const ran = report.tests.filter(({ status }) => status !== "Disabled");
  return ran.filter(({ status }) => status !== "Pass").map(({ name }) => name);
}

function expectPassed(report: ConformanceReport): void {
  expect(notPassed(report)).toEqual([]);
  expect(APIS.map((api) => [api, report.apis.get(api)])).toEqual(APIS.map((api) => [api, "Pass"]));
}

describe.each(["app", "appDocker", "tool"] as const)("the conformance suite, read-only, against %s", (name) => {
  test("passes with nothing held", async () => expectPassed(await conformance(fixtures[name])));

  test("passes with everything held", async () => expectPassed(await conformance(fixtures[name])));
});

test.each(["app", "appDocker", "tool"] as const)(
  "against %s with the upstream gone, it passes but for content that nobody can say is not there",
  async (name) => {
    await upstream.running.stop();
    const report = await conformance(fixtures[name]);
    const unknown = ["empty/referrers", "missing-manifest/by-digest", "missing-manifest/by-tag"];
    expect(notPassed(report)).toEqual(unknown);
  },
);
