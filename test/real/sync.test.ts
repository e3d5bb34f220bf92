import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "bun:test";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { get } from "./endpoint.ts";
import { type Fixtures, pushFixtures } from "./fixtures.ts";
import { type Finished, freePort, launch, mustRun, run, type TemporaryFolder, temporaryFolder } from "./process.ts";
import { type Registry, startRegistry, USER } from "./registry.ts";
import { binary } from "./versions.ts";

const PERIPLUS = join(import.meta.dir, "..", "..", "bin", "periplus");

let source: Registry;
let fixtures: Fixtures;
let [ours, theirs]: readonly [Registry, Registry] = [undefined!, undefined!];
let folder: TemporaryFolder;

beforeAll(async () => {
  source = await startRegistry();
  fixtures = await pushFixtures(source.endpoint, { prefix: "team/" });
});
afterAll(() => source[Symbol.asyncDispose]());
beforeEach(async () => {
  [ours, theirs] = [await startRegistry(), await startRegistry()];
  folder = await temporaryFolder("sync");
});
afterEach(async () => {
  await ours[Symbol.asyncDispose]();
  await theirs[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

/** A file with this text in it. */
async function fileOf(text: string, name = "sync.yaml"): Promise<string> {
  const path = join(folder.path, name);
  await writeFile(path, text);
  return path;
}

const periplus = (...words: readonly string[]): Promise<Finished> => run([PERIPLUS, ...words], { cwd: folder.path });

/** Every tag of a registry and what it stands for. */
async function tagsIn({ endpoint }: Registry): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {};
  const { repositories } = (await (await get(endpoint, "/v2/_catalog")).json()) as { repositories: readonly string[] };
  for (const repository of repositories) {
    const list = (await (await get(endpoint, `/v2/${repository}/tags/list`)).json()) as {
      tags: readonly string[] | null;
    };
    for (const tag of list.tags ?? []) found[`${repository}:${tag}`] = await digestAt(endpoint, repository, tag);
  }
  return found;
}

const accept =
  "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json";

async function digestAt(endpoint: Registry["endpoint"], repository: string, reference: string): Promise<string> {
  const answer = await get(endpoint, `/v2/${repository}/manifests/${reference}`, {
    method: "HEAD",
    headers: { Accept: accept },
  });
  return answer.ok ? (answer.headers.get("docker-content-digest") ?? "") : String(answer.status);
}

/** Makes a tag stand for what another one of the same repository stands for. */
async function retag({ endpoint }: Registry, repository: string, from: string, to: string): Promise<void> {
  const held = await get(endpoint, `/v2/${repository}/manifests/${from}`, { headers: { Accept: accept } });
  const headers = { "Content-Type": held.headers.get("content-type") ?? "" };
  const put = await get(endpoint, `/v2/${repository}/manifests/${to}`, {
    method: "PUT",
    body: await held.text(),
    headers,
  });
  expect(put.status).toBe(201);
}

async function referrersIn({ endpoint }: Registry, tag: string): Promise<readonly string[]> {
  const answer = await get(endpoint, `/v2/app/manifests/${tag}`, { headers: { Accept: accept } });
  const index = (await answer.json()) as { readonly manifests: readonly { readonly digest: string }[] };
  return index.manifests.map(({ digest }) => digest);
}

const regsyncFile = (target: string): string => `
version: 1
x-common: &common
  digestTags: true
  referrers: true
creds:
  - { registry: "${source.endpoint.host}", tls: disabled, reqConcurrent: 4 }
  - { registry: "${target}", tls: disabled }
defaults:
  parallel: 2
  interval: 60m
  ratelimit: { min: 10, retry: 15m }
sync:
  - { source: "${source.endpoint.host}/team/app", target: "${target}/app", type: repository, tags: { allow: ["[0-9].*"] }, <<: *common }
  - { source: "${source.endpoint.host}/team/tool:2.1", target: "${target}/tools/tool:stable", type: image, backup: "{{.Ref.Tag}}-before" }
  - source: "${source.endpoint.host}/team/many"
    target: "${target}/many"
    type: repository
    tags: { allow: ["v0.*", "v2[0-3]"], deny: ["v0[5-9]"] }
  - { source: "${source.endpoint.host}", target: "${target}/all", type: registry, repos: { allow: ["team/(app-docker|tool)"] } }
`;

test("a regsync file: the same tags and digests as by regsync; its check agrees; then nothing more", async () => {
  const file = await fileOf(regsyncFile(ours.endpoint.host));
  const regsync = async (name: string, target: Registry): Promise<Finished> =>
    run([binary("regsync"), "-c", await fileOf(regsyncFile(target.endpoint.host), "regsync.yml"), name]);
  expect((await periplus("sync", "-f", file)).stderr).toContain("images: ");
  expect(await tagsIn(ours)).toEqual({});
  expect((await periplus("check", "-f", file)).code).toBe(3);
  const applied = await periplus("sync", "-f", file, "--apply");
  expect([applied.code, applied.stderr]).toEqual([0, expect.stringContaining("0 failed")]);
  expect((await regsync("once", theirs)).code).toBe(0);
  const [byUs, byThem] = [await tagsIn(ours), await tagsIn(theirs)];
  expect(byUs["app:1.0"]).toBe(fixtures.app.manifest.digest);
  // Each program writes the list of referrers in its own way; what is in it is the same.
  const { fallbackTag } = fixtures.referrer;
  const isImage = ([name]: readonly [string, string]): boolean => name !== `app:${fallbackTag}`;
  expect(Object.entries(byUs).filter(isImage)).toEqual(Object.entries(byThem).filter(isImage));
  expect(await referrersIn(ours, fallbackTag)).toEqual(await referrersIn(theirs, fallbackTag));
  expect(await digestAt(ours.endpoint, "app", fixtures.referrer.manifest.digest)).toBe(
    fixtures.referrer.manifest.digest,
  );
  expect((await periplus("check", "-f", file)).code).toBe(0);
  const before = (await ours.requests()).length;
  expect((await regsync("check", ours)).code).toBe(0);
  expect((await ours.requests()).slice(before).filter(({ method }) => method === "PUT" || method === "POST")).toEqual(
    [],
  );
});

const skopeoFile = (): string => `
${source.endpoint.host}:
  tls-verify: false
  images:
    team/app: ["1.0"]
    team/tool: []
  images-by-tag-regex:
    team/many: ^v0[0-4]$
    team/app-docker: ^1
`;

test("a skopeo file, flattened: the same tags and digests as by skopeo sync --all", async () => {
  const file = await fileOf(skopeoFile());
  const flags = ["--src-tls-verify=false", "--dest-tls-verify=false", "--all", "--preserve-digests"];
  const skopeo = [binary("skopeo"), "--insecure-policy", "sync", "--src", "yaml", "--dest", "docker", ...flags];
  await mustRun([...skopeo, file, `${theirs.endpoint.host}/mirror`]);
  const words = ["sync", "-f", file, "--dest", `${ours.endpoint.host}/mirror`, "--flatten", "--apply"];
  expect((await periplus(...words)).code).toBe(0);
  const byUs = await tagsIn(ours);
  expect(Object.keys(byUs)).toHaveLength(8);
  expect(byUs).toEqual(await tagsIn(theirs));
});

const own = (...entries: readonly string[]): string =>
  `sync:\n${entries.map((entry) => `  - { ${entry} }\n`).join("")}`;

test("backups, deletions and audits of an own file, at distribution", async () => {
  const { host } = ours.endpoint;
  const text = own(
    `from: "${source.endpoint.host}/team/app", to: "${host}/app", tags: { match: ^1 }, referrers: true, backup: "{tag}-old", delete: true`,
    `from: "${source.endpoint.host}/team/many", to: "${host}/many:{tag}-m", tags: { list: [v00, v01] }`,
  );
  const file = await fileOf(text);
  expect((await periplus("sync", "-f", file, "--apply")).code).toBe(0);
  expect((await periplus("audit", "-f", file)).code).toBe(0);
  const child = fixtures.app.platforms[0]?.manifest.digest ?? "";
  await retag(ours, "app", child, "1.0");
  await retag(ours, "app", child, "gone");
  const audited = await periplus("audit", "-f", file);
  expect([audited.code, audited.stderr]).toEqual([3, expect.stringContaining("1 differs, 1 extra")]);
  const applied = await periplus("sync", "-f", file, "--apply");
  expect([applied.code, applied.stderr]).toEqual([0, expect.stringMatching(/1 kept before; 1 deleted/)]);
  const tags = await tagsIn(ours);
  expect([tags["app:1.0"], tags["app:1.0-old"], tags["app:gone"]]).toEqual([
    fixtures.app.manifest.digest,
    child,
    undefined,
  ]);
  expect(Object.keys(tags).filter((name) => name.startsWith("many:"))).toEqual(["many:v00-m", "many:v01-m"]);
  await get(ours.endpoint, `/v2/app/manifests/${fixtures.signature.manifest.digest}`, { method: "DELETE" });
  const unsigned = await periplus("audit", "-f", file);
  expect([unsigned.code, unsigned.stdout]).toEqual([3, expect.stringContaining("signatures missing")]);
  expect((await periplus("sync", "-f", file, "--apply")).code).toBe(0);
  expect((await tagsIn(ours))[`app:${fixtures.signature.tag}`]).toBe(fixtures.signature.manifest.digest);
});

test("a source that is down and a target that refuses stop nothing else", async () => {
  await using closed = await startRegistry({ access: { kind: "htpasswd", user: USER } });
  const { host } = ours.endpoint;
  const file = await fileOf(
    own(
      `from: "127.0.0.1:${freePort()}/down", to: "${host}/down"`,
      `from: "${source.endpoint.host}/team/tool", to: "${closed.endpoint.host}/tool"`,
      `from: "${source.endpoint.host}/team/tool", to: "${host}/tool"`,
    ),
  );
  expect((await periplus("check", "-f", file)).code).toBe(5);
  const applied = await periplus("sync", "-f", file, "--apply", "-o", "json");
  expect(applied.code).toBe(1);
  expect(applied.stdout).toContain('"kind":"denied"');
  expect(applied.stdout).toContain('"kind":"gap"');
  expect(Object.keys(await tagsIn(ours))).toEqual(["tool:2.1"]);
});

/** A sync that runs in the background, its output in a log. */
async function going(words: readonly string[], until: string) {
  const logFile = join(folder.path, "periplus.log");
  const has = async (): Promise<boolean> => (await readFile(logFile, "utf8")).includes(until);
  const running = await launch({ command: [PERIPLUS, ...words], cwd: folder.path, logFile, ready: has });
  return { running, log: () => readFile(logFile, "utf8") };
}

async function eventually(holds: () => Promise<boolean>): Promise<void> {
  const endMs = Date.now() + 30_000;
  while (!(await holds())) {
    if (Date.now() > endMs) throw new Error("it did not come to that");
    await Bun.sleep(50);
  }
}

test("--schedule: two runs a second apart, the second with what is new; SIGTERM is its good end", async () => {
  await retag(source, "team/tool", "2.1", "2.1-copy");
  const file = await fileOf(
    `schedule: 1s\n${own(`from: "${source.endpoint.host}/team/tool", to: "${ours.endpoint.host}/tool"`)}`,
  );
  const { running, log } = await going(["sync", "-f", file, "--apply", "--schedule"], "2 copied");
  await retag(source, "team/tool", "2.1", "2.2");
  await eventually(async () => (await tagsIn(ours))["tool:2.2"] === fixtures.tool.manifest.digest);
  await eventually(async () => (await log()).includes("1 copied, 2 skipped"));
  expect(await running.stop()).toBe(0);
  for (const tag of ["2.1-copy", "2.2"])
    await get(source.endpoint, `/v2/team/tool/manifests/${tag}`, { method: "DELETE" });
});

test("stopped by Ctrl-C, the same command goes on from what is there", async () => {
  const { host } = ours.endpoint;
  const entries = own(`from: "${source.endpoint.host}/team/many", to: "${host}/many"`);
  const slow = await fileOf(
    `registries: { "${host}": { budget: { requests: 25, per: 1s } } }\n${entries}`,
    "slow.yaml",
  );
  const { running } = await going(["sync", "-f", slow, "--apply"], "copied ");
  running.signal("SIGINT");
  expect(await running.exited).toBe(1);
  const half = Object.keys(await tagsIn(ours)).length;
  expect(half).toBeGreaterThan(0);
  expect(half).toBeLessThan(fixtures.many.tags.length);
  const rest = await periplus("sync", "-f", await fileOf(entries), "--apply");
  expect([rest.code, rest.stderr]).toEqual([0, expect.stringContaining(`${30 - half} copied, ${half} skipped`)]);
});

test("500 tags that are there: no more requests than by regsync, one list and a HEAD at each end", async () => {
  const { host } = ours.endpoint;
  const body = fixtures.tool.body;
  const headers = { "Content-Type": "application/vnd.oci.image.manifest.v1+json" };
  for (let at = 0; at < 500; at++) {
    await get(source.endpoint, `/v2/team/tool/manifests/t${at}`, { method: "PUT", body, headers });
  }
  const file = await fileOf(own(`from: "${source.endpoint.host}/team/tool", to: "${host}/tool"`));
  expect((await periplus("sync", "-f", file, "--apply")).code).toBe(0);
  const regsync = await fileOf(
    `version: 1\ncreds:\n  - { registry: "${source.endpoint.host}", tls: disabled }\n  - { registry: "${host}", tls: disabled }\nsync:\n  - { source: "${source.endpoint.host}/team/tool", target: "${host}/tool", type: repository }\n`,
    "regsync.yml",
  );
  const asked = async (command: readonly string[]): Promise<readonly [number, number]> => {
    const [from, to] = [(await source.requests()).length, (await ours.requests()).length];
    await mustRun(command);
    return [(await source.requests()).length - from, (await ours.requests()).length - to];
  };
  const byUs = await asked([PERIPLUS, "sync", "-f", file, "--apply"]);
  const byThem = await asked([binary("regsync"), "-c", regsync, "once"]);
  expect(byUs).toEqual([502, 501]);
  expect(byUs[0] + byUs[1]).toBeLessThanOrEqual(byThem[0] + byThem[1]);
});
