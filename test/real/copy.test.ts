import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { urlOf } from "./endpoint.ts";
import { digestsOf, type Fixtures, pushFixtures } from "./fixtures.ts";
import { mustRun, run, temporaryFolder, type TemporaryFolder } from "./process.ts";
import { REGISTRIES, type Registry, type RegistryOptions, startRegistry } from "./registry.ts";
import { binary } from "./versions.ts";

const PERIPLUS = join(import.meta.dir, "..", "..", "bin", "periplus");
const KINDS: readonly (readonly [string, RegistryOptions])[] = [["distribution", {}], ...REGISTRIES];

let source: Registry;
let fixtures: Fixtures;

beforeAll(async () => {
  source = await startRegistry();
  fixtures = await pushFixtures(source.endpoint);
});
afterAll(async () => source[Symbol.asyncDispose]());

/** The folder in which distribution keeps a repository. */
function kept({ dataFolder }: Registry, ...path: readonly string[]): string {
  return join(dataFolder, "docker", "registry", "v2", "repositories", ...path);
}

/** Which of these digests a repository lacks, as a manifest and as a blob. */
function lacking(registry: Registry, repository: string, digests: readonly string[]): readonly string[] {
  return digests.filter((digest) => {
    const [algorithm = "", hex = ""] = digest.split(":");
    const places = [join("_manifests", "revisions"), "_layers"];
    return !places.some((place) => existsSync(kept(registry, repository, place, algorithm, hex, "link")));
  });
}

describe.each(KINDS)("to %s", (_, options) => {
  let target: Registry;
  let folder: TemporaryFolder;
  let config: readonly string[];

  beforeAll(async () => {
    target = await startRegistry(options);
    folder = await temporaryFolder("copy");
    const { credentials, caFile, host } = target.endpoint;
    const passwordFile = join(folder.path, "password");
    await writeFile(passwordFile, credentials?.password ?? "");
    const upstream = {
      url: urlOf(target.endpoint),
      ...(caFile === undefined ? {} : { ca: caFile }),
      ...(target.tokens === undefined ? {} : { tokenHosts: [new URL(target.tokens.realm).host] }),
      ...(credentials === undefined
        ? {}
        : { credentials: { username: credentials.username, passwordFile }, public: true }),
    };
    const file = join(folder.path, "periplus.yaml");
    await writeFile(file, stringify({ upstreams: { [host]: upstream }, rules: [{ match: "*", serve: "cache" }] }));
    config = ["--config", file];
  });
  afterAll(async () => {
    await target[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  const at = (name: string): readonly string[] => [
    `${source.endpoint.host}/${name}`,
    `${target.endpoint.host}/x/${name}`,
  ];

  test("an index comes whole, with its signature and what has it as subject, and is there the second time", async () => {
    const { app, signature, referrer } = fixtures;
    await mustRun([PERIPLUS, "copy", ...at("app:1.0"), ...config]);
    const wanted = [...digestsOf(app), signature.manifest.digest, referrer.manifest.digest];
    expect(lacking(target, "x/app", wanted)).toEqual([]);
    const tag = kept(target, "x", "app", "_manifests", "tags", "1.0", "current", "link");
    expect(readFileSync(tag, "utf8")).toBe(app.manifest.digest);
    const again = await mustRun([PERIPLUS, "copy", ...at("app:1.0"), ...config, "-o", "json"]);
    expect(again).toContain('"status":"skipped"');
    expect((await run([PERIPLUS, "check", ...at("app:1.0"), ...config])).code).toBe(0);
  });

  test("Docker's manifests, one platform, and sha512 where both take it", async () => {
    const { appDocker, tool, toolSha512 } = fixtures;
    await mustRun([PERIPLUS, "copy", ...at("app-docker:1.0"), ...config, "--platform", "linux/arm64"]);
    const arm = appDocker.platforms.find(({ platform }) => platform === "linux/arm64");
    const digest = await mustRun([PERIPLUS, "digest", at("app-docker:1.0")[1] ?? "", ...config]);
    expect(digest.trim()).toBe(arm?.manifest.digest ?? "none");
    await mustRun([PERIPLUS, "copy", ...at("tool:2.1"), ...config]);
    expect(lacking(target, "x/tool", digestsOf(tool))).toEqual([]);
    if (toolSha512 === undefined) return;
    const copied = await run([PERIPLUS, "copy", ...at("tool-sha512:1.0"), ...config]);
    if (copied.code === 0) expect(lacking(target, "x/tool-sha512", digestsOf(toolSha512))).toEqual([]);
  });

  test("all tags of a repository: the plan, then each; afterwards one HEAD at each end", async () => {
    const plan = await run([PERIPLUS, "check", "--all-tags", ...at("many"), ...config]);
    expect(plan.code).toBe(3);
    const copied = await mustRun([PERIPLUS, "copy", "--all-tags", "--apply", ...at("many"), ...config, "-o", "json"]);
    expect(copied).toContain(`"copied":${fixtures.many.tags.length},"skipped":0,"failed":0`);
    const before = (await source.requests()).length;
    expect((await run([PERIPLUS, "check", "--all-tags", ...at("many"), ...config])).code).toBe(0);
    expect((await source.requests()).length - before).toBe(fixtures.many.tags.length + 1);
  });
});

describe("beside other clients", () => {
  test("what was copied is valid to crane, and its signature is where cosign looks for it", async () => {
    await using target = await startRegistry();
    const to = `${target.endpoint.host}/app:1.0`;
    await mustRun([PERIPLUS, "copy", `${source.endpoint.host}/app:1.0`, to]);
    await mustRun([binary("crane"), "validate", "--insecure", "--remote", to]);
    const tags = await mustRun([binary("crane"), "ls", "--insecure", `${target.endpoint.host}/app`]);
    expect(tags.split("\n")).toContain(fixtures.signature.tag);
    const found = await mustRun([binary("oras"), "discover", "--plain-http", "--format", "json", to]);
    expect(found).toContain(fixtures.referrer.manifest.digest);
  });
});

test("a private authority is trusted when SSL_CERT_FILE names it, as other clients trust it", async () => {
  await using target = await startRegistry({ tls: true });
  const words = ["copy", `${source.endpoint.host}/tool:2.1`, `${target.endpoint.host}/x/tool`];
  const untrusted = await run([PERIPLUS, ...words]);
  expect([untrusted.code, untrusted.stdout]).toEqual([1, expect.stringContaining("certificate")]);
  await mustRun([PERIPLUS, ...words], { env: { SSL_CERT_FILE: target.endpoint.caFile ?? "" } });
  expect(lacking(target, "x/tool", digestsOf(fixtures.tool))).toEqual([]);
});
