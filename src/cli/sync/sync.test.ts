import { afterEach, beforeEach, expect, test } from "bun:test";
import { mediaTypes } from "../../manifest/media-types.ts";
import { LoopbackRegistry } from "../copy/testing/loopback-registry.ts";
import { linesOf, type Ran, run, type RunOptions } from "../copy/testing/run.ts";
import { digestAt, holdImage } from "./testing/images.ts";

let from: LoopbackRegistry;
let to: LoopbackRegistry;

beforeEach(() => {
  from = new LoopbackRegistry();
  to = new LoopbackRegistry();
});
afterEach(async () => {
  await from[Symbol.asyncDispose]();
  await to[Symbol.asyncDispose]();
});

const sync = (text: string, flags: readonly string[] = [], options: RunOptions = {}): Promise<Ran> =>
  run(["sync", "-f", "sync.yaml", ...flags], { readFile: () => Promise.resolve(text), ...options });
const own = (...lines: readonly string[]): string => `sync:\n${lines.map((line) => `  - { ${line} }\n`).join("")}`;
const entry = (more = ""): string => `from: ${from.host}/a/b, to: ${to.host}/x${more}`;

test("the plan writes nothing; --apply copies; again, one list and a HEAD at each end", async () => {
  for (const tag of ["v1", "v2", "v3"]) holdImage(from, `a/b:${tag}`);
  holdImage(to, "x:v3", { text: "another" });
  to.held.set("x/manifests/v2", from.held.get("a/b/manifests/v2")!);
  const plan = await sync(own(entry()));
  expect(plan.stdout).toMatch(/copy {5}sha256:[0-9a-f]{12} +\d+ B +.*a\/b:v1 +.*x:v1\nthere .*\ndiffers .*\n/);
  expect(plan.stderr).toContain("3 images: 1 there, 1 to copy, 1 different; at most");
  expect([plan.status, to.requests.some((request) => request.startsWith("P"))]).toEqual([0, false]);
  const applied = await sync(own(entry()), ["--apply", "-o", "json"]);
  expect(linesOf(applied).at(-1)).toMatchObject({ kind: "summary", copied: 2, skipped: 1, failed: 0 });
  expect(linesOf(applied)).toHaveLength(4);
  const before = [from, to].map(({ requests }) => requests.length);
  expect(await sync(own(entry()), ["--apply"])).toMatchObject({ status: 0 });
  const asked = [from, to].map(({ requests }, at) => requests.slice(before[at]));
  // The first question of each is what the address on this machine speaks.
  expect(asked.map((requests) => requests.filter((request) => !request.endsWith("/v2/")).toSorted())).toEqual([
    ["GET /v2/a/b/tags/list", ...["v1", "v2", "v3"].map((tag) => `HEAD /v2/a/b/manifests/${tag}`)],
    ["v1", "v2", "v3"].map((tag) => `HEAD /v2/x/manifests/${tag}`),
  ]);
});

test("a source that is down, a tag and a repository that are not there: each has its row and stops nothing", async () => {
  holdImage(from, "a/b:v1");
  const text = own(
    `from: 127.0.0.1:9/gone, to: ${to.host}/gone`,
    `from: ${from.host}/none, to: ${to.host}/none`,
    entry(", tags: { list: [v1, v9] }"),
  );
  const plan = await sync(text, ["-o", "json"]);
  expect(linesOf(plan)).toMatchObject([
    { kind: "result", state: "copy" },
    { kind: "result", state: "absent", source: `${from.host}/a/b:v9` },
    { kind: "gap", state: "unknown", source: "127.0.0.1:9/gone", entry: { line: 2, path: "sync[0]" } },
    { kind: "gap", state: "absent", source: `${from.host}/none` },
    { kind: "summary", copy: 1, absent: 1, gaps: 2 },
  ]);
  expect(plan.status).toBe(5);
  const applied = await sync(text, ["--apply"]);
  expect(applied.status).toBe(1);
  expect(applied.stderr).toContain("1 copied, 0 skipped, 1 failed");
  expect(applied.stderr).toContain("sync.yaml:3:5: sync[1]: ");
  expect(digestAt(to, "x:v1")).toBe(digestAt(from, "a/b:v1"));
});

test("two sources on one target, found only when the tags are known: nothing is written", async () => {
  holdImage(from, "a/b:v1");
  holdImage(from, "c:v1");
  const ran = await sync(own(entry(), `from: ${from.host}/c, to: ${to.host}/x`), ["--apply"]);
  expect(ran).toMatchObject({ status: 1, stderr: expect.stringContaining("nothing is copied until one of them goes") });
  expect(to.held.size).toBe(0);
});

test("a backup before a tag is moved; where it fails, the tag stays", async () => {
  holdImage(from, "a/b:v1");
  holdImage(from, "a/b:v2");
  const old = holdImage(to, "x:v1", { text: "old" });
  const backup = own(entry(', backup: "{tag}-old"'));
  const ran = await sync(backup, ["--apply"]);
  expect([ran.status, digestAt(to, "x:v1-old"), digestAt(to, "x:v1")]).toEqual([0, old, digestAt(from, "a/b:v1")]);
  expect(ran.stdout).toContain(`what it stood for is kept as ${to.host}/x:v1-old`);
  expect(ran.stderr).toMatch(/2 copied, 0 skipped, 0 failed; .*; 1 kept before/);
  await using strict = new LoopbackRegistry({
    instead: (request) => (/^PUT .*-old$/.test(request) ? new Response(null, { status: 403 }) : undefined),
  });
  holdImage(strict, "x:v1", { text: "old" });
  const refused = await sync(own(`from: ${from.host}/a/b, to: ${strict.host}/x, backup: "{tag}-old"`), ["--apply"]);
  expect(refused).toMatchObject({
    status: 1,
    stdout: expect.stringContaining("v1-old failed, so it is left as it is"),
  });
  expect([digestAt(strict, "x:v1"), digestAt(strict, "x:v2")]).toEqual([old, digestAt(from, "a/b:v2")]);
});

test("a backup in another repository takes along what refers to it", async () => {
  holdImage(from, "a/b:v1");
  const old = holdImage(to, "x:v1", { text: "old" });
  const signature = `sha256-${old.slice("sha256:".length)}.sig`;
  holdImage(to, `x:${signature}`);
  const kept = own(entry(`, referrers: true, backup: "${to.host}/kept:{tag}"`));
  expect(await sync(kept, ["--apply"])).toMatchObject({ status: 0 });
  expect([digestAt(to, "kept:v1"), digestAt(to, `kept:${signature}`)]).toEqual([old, digestAt(to, `x:${signature}`)]);
});

test("several backups under one name: the last one stays, every tag is moved", async () => {
  for (const tag of ["v1", "v2"]) {
    holdImage(from, `a/b:${tag}`);
    holdImage(to, `x:${tag}`, { text: `old ${tag}` });
  }
  const old = digestAt(to, "x:v2");
  expect(await sync(own(entry(", backup: old")), ["--apply"])).toMatchObject({ status: 0 });
  expect([digestAt(to, "x:old"), digestAt(to, "x:v1")]).toEqual([old, digestAt(from, "a/b:v1")]);
});

test("a target that gives no word is not overwritten where backups are wanted", async () => {
  holdImage(from, "a/b:v1");
  await using silent = new LoopbackRegistry({
    instead: (request) =>
      request.startsWith("HEAD /v2/x/manifests/v1") ? new Response(null, { status: 403 }) : undefined,
  });
  const old = holdImage(silent, "x:v1", { text: "old" });
  const text = (more: string): string => own(`from: ${from.host}/a/b, to: ${silent.host}/x${more}`);
  expect(await sync(text(", backup: old"), ["--apply"])).toMatchObject({ status: 1 });
  expect(digestAt(silent, "x:v1")).toBe(old);
  await sync(text(""), ["--apply"]);
  expect(digestAt(silent, "x:v1")).not.toBe(old);
});

test("deletions: what no source has, after the copies; not while a source has no list, not what holds backups", async () => {
  holdImage(from, "a/b:v1");
  holdImage(from, "c/d:w1");
  for (const tag of ["v1", "w1", "gone", "gone-old", `sha256-${"a".repeat(64)}.sig`]) holdImage(to, `x:${tag}`);
  const both = own(entry(', delete: true, backup: "{tag}-old"'), `from: ${from.host}/c/d, to: ${to.host}/x`);
  const plan = await sync(both);
  expect(plan.stdout).toMatch(new RegExp(`\\ndelete +${to.host}/x:gone\\n$`));
  expect(plan.stderr).toContain("1 to delete");
  const down = both.replace(`${from.host}/c/d`, "127.0.0.1:9/c");
  const kept = await sync(down, ["--apply"]);
  expect(kept).toMatchObject({ status: 1, stderr: expect.stringContaining("counts as left over") });
  expect(digestAt(to, "x:gone")).toBeDefined();
  const elsewhere = own(
    entry(", delete: true"),
    `from: ${from.host}/c/d, to: ${to.host}/y, backup: "${to.host}/x:w-{date}"`,
  );
  expect((await sync(elsewhere)).stderr).toContain("sync[1] keeps its backups there");
  const applied = await sync(both, ["--apply", "-o", "json"]);
  expect(linesOf(applied)).toContainEqual({ kind: "deletion", target: `${to.host}/x:gone`, status: "deleted" });
  expect(linesOf(applied).at(-1)).toMatchObject({ deleted: 1, notDeleted: 0, gaps: 0 });
  expect([...to.held.keys()].filter((path) => path.startsWith("x/manifests/")).toSorted()).not.toContain(
    "x/manifests/gone",
  );
  for (const tag of ["v1", "w1", "gone-old"]) expect(digestAt(to, `x:${tag}`)).toBeDefined();
});

test("nothing is deleted once a run is stopped", async () => {
  holdImage(from, "a/b:v1");
  holdImage(to, "x:gone");
  let interrupt = (): void => {};
  const stdout = (text: string): void => void (text.startsWith("copied") && interrupt());
  const options = { stdout, interruptible: (given: () => void) => (interrupt = given) };
  const stopped = await sync(own(entry(", delete: true")), ["--apply"], options);
  expect([stopped.status, digestAt(to, "x:v1"), digestAt(to, "x:gone")]).toEqual([
    1,
    digestAt(from, "a/b:v1"),
    expect.any(String),
  ]);
  expect(to.requests.some((request) => request.startsWith("DELETE"))).toBe(false);
  expect(await sync(own(entry(", delete: true")), ["--apply"])).toMatchObject({ status: 0 });
  expect(digestAt(to, "x:gone")).toBeUndefined();
});

test("a registry with no catalog, one with it; a choice of nothing says why", async () => {
  holdImage(from, "a/b:v1");
  holdImage(from, "a/c:v1");
  const all = own(`from: ${from.host}/, to: "${to.host}/m/**", tags: { match: ^v }`);
  expect(await sync(all, ["--apply"])).toMatchObject({ status: 0 });
  expect([digestAt(to, "m/a/b:v1"), digestAt(to, "m/a/c:v1")]).toEqual([
    digestAt(from, "a/b:v1"),
    digestAt(from, "a/c:v1"),
  ]);
  await using closed = new LoopbackRegistry({
    instead: (request) => (request.endsWith("_catalog") ? new Response(null, { status: 404 }) : undefined),
  });
  const none = await sync(all.replace(from.host, closed.host));
  expect(none).toMatchObject({ status: 5, stderr: expect.stringContaining("gives no list of its repositories") });
  const nothing = await sync(own(entry(", tags: { match: ^w }")));
  expect(nothing).toMatchObject({ status: 0, stderr: expect.stringContaining("match leaves none of its one tag") });
});

test("platforms make an index, platform names the manifest of one", async () => {
  const amd = holdImage(from, "a/b:amd");
  const held = from.held.get("a/b/manifests/amd");
  const entryOf = (architecture: string, digest: string): object => ({
    mediaType: held?.type,
    digest,
    size: held?.bytes.byteLength,
    platform: { os: "linux", architecture },
  });
  const arm = holdImage(from, "a/b:arm");
  const manifests = [entryOf("amd64", amd), entryOf("arm64", arm)];
  from.hold("a/b", "multi", { schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests });
  const one = `from: ${from.host}/a/b:multi`;
  await sync(
    own(
      `${one}, to: ${to.host}/x:single, platform: linux/arm64`,
      `${one}, to: ${to.host}/x:index, platforms: [linux/arm64]`,
    ),
    ["--apply"],
  );
  expect(digestAt(to, "x:single")).toBe(arm);
  expect(JSON.parse(new TextDecoder().decode(to.held.get("x/manifests/index")?.bytes)).manifests).toEqual([
    manifests[1],
  ]);
});

test("check -f is the gate: in sync, drift, a source is missing, not known, refused", async () => {
  const check = async (text: string): Promise<number> =>
    (await run(["check", "-f", "sync.yaml"], { readFile: () => Promise.resolve(text) })).status;
  holdImage(from, "a/b:v1");
  expect(await check(own(entry()))).toBe(3);
  await sync(own(entry()), ["--apply"]);
  expect(await check(own(entry()))).toBe(0);
  holdImage(to, "x:gone");
  expect(await check(own(entry(", delete: true")))).toBe(3);
  expect(await check(own(entry(", tags: { list: [v1, v9] }")))).toBe(4);
  expect(await check(own(entry(), `from: 127.0.0.1:9/y, to: ${to.host}/y`))).toBe(5);
  expect(await check(own(entry(), `from: ${from.host}/a/b:v1, to: ${to.host}/x`))).toBe(0);
  expect(await check(own(entry(), `from: ${from.host}/a/c:v1, to: ${to.host}/x`))).toBe(1);
  const drift = `from: ${from.host}/a/c:v1, to: ${to.host}/z`;
  const missing = `from: ${from.host}/a/b:v9, to: ${to.host}/m`;
  const unknown = `from: 127.0.0.1:9/y:v1, to: ${to.host}/y`;
  const refused = `from: ${from.host}/a/multi:v1, to: ${to.host}/p, platform: linux/s390x`;
  holdImage(from, "a/c:v1");
  from.hold("a/multi", "v1", { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] });
  expect(await check(own(drift, missing))).toBe(4);
  expect(await check(own(drift, missing, unknown))).toBe(5);
  expect(await check(own(drift, missing, unknown, refused))).toBe(1);
  expect(await run(["check", "a.io/x"])).toMatchObject({ status: 2 });
  expect(await run(["check", "a.io/x", "b.io/x", "-f", "sync.yaml"])).toMatchObject({ status: 2 });
});

/** A repository of Amazon ECR that pushes do not find before it is created. */
function startEcr(): {
  readonly ecr: LoopbackRegistry;
  readonly created: string[];
  readonly env: RunOptions["env"];
} & AsyncDisposable {
  const created: string[] = [];
  const api = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async (request) => {
      created.push(await request.text());
      return Response.json({});
    },
  });
  const unknown = { errors: [{ code: "NAME_UNKNOWN", message: "The repository does not exist" }] };
  const ecr = new LoopbackRegistry({
    instead: (request) =>
      created.length === 0 && request.startsWith("P") ? Response.json(unknown, { status: 404 }) : undefined,
  });
  const env = {
    AWS_ACCESS_KEY_ID: "key",
    AWS_SECRET_ACCESS_KEY: "secret",
    AWS_ENDPOINT_URL_ECR: `http://127.0.0.1:${api.port}`,
  };
  const close = async (): Promise<void> => {
    await Promise.all([api.stop(true), ecr[Symbol.asyncDispose]()]);
  };
  return { ecr, created, env, [Symbol.asyncDispose]: close };
}

const ecrHost = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
const ecrCreation = '{"registryId":"123456789012","repositoryName":"m/x"}';

test("--create-repositories: one that a push does not find at Amazon ECR is created once, and pushed to", async () => {
  holdImage(from, "a/b:v1");
  holdImage(from, "a/b:v2");
  await using amazon = startEcr();
  const { ecr, created, env = {} } = amazon;
  const text = `registries: { ${ecrHost}: { url: "http://${ecr.host}" } }\n${own(`from: ${from.host}/a/b, to: ${ecrHost}/m/x`)}`;
  const without = await sync(text, ["--apply"], { env });
  expect([without.status, created.length]).toEqual([1, 0]);
  expect(without.stdout).toContain("NAME_UNKNOWN: The repository does not exist");
  const broken = await sync(text, ["--apply", "--create-repositories"], { env: { ...env, AWS_SECRET_ACCESS_KEY: "" } });
  expect(broken.stdout).toContain("it cannot be created: of AWS_ACCESS_KEY_ID and");
  const ran = await sync(`createRepositories: true\n${text}`, ["--apply"], { env });
  expect([ran.status, created]).toEqual([0, [ecrCreation]]);
  expect(ran.stderr).toContain(`created ${ecrHost}/m/x`);
  expect(digestAt(ecr, "m/x:v2")).toBe(digestAt(from, "a/b:v2"));
});

test("copy --create-repositories does the same", async () => {
  holdImage(from, "a/b:v1");
  holdImage(from, "a/b:v2");
  await using amazon = startEcr();
  const { ecr, created, env = {} } = amazon;
  const config = `upstreams: { ${ecrHost}: { url: "http://${ecr.host}" } }\nrules: [{ match: "*", serve: cache }]\n`;
  const options = { env, readFile: () => Promise.resolve(config) };
  const words = ["copy", "--all-tags", "--apply", `${from.host}/a/b`, `${ecrHost}/m/x`, "--config", "periplus.yaml"];
  expect([(await run(words, options)).status, created.length]).toEqual([1, 0]);
  const ran = await run([...words, "--create-repositories"], options);
  expect([ran.status, created]).toEqual([0, [ecrCreation]]);
  expect(digestAt(ecr, "m/x:v2")).toBe(digestAt(from, "a/b:v2"));
});

test("what is wrong with the file, all at once, before anything is asked", async () => {
  const ran = await sync("sync: [{ from: a.io/x, to: r.io }, { from: A.io/X, too: r.io/x }]", ["--apply"]);
  expect(ran).toMatchObject({ status: 1, stdout: "" });
  expect(ran.stderr.match(/sync\.yaml:1:/g)?.length).toBeGreaterThan(1);
  expect(await run(["sync"])).toMatchObject({ status: 2 });
  expect(await sync(own(entry()), ["--schedule"])).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("no schedule"),
  });
});
