import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestOf } from "../../copy/testing/images.ts";
import { mediaTypes } from "../../manifest/media-types.ts";
import { linesOf, type Ran, run, type RunOptions } from "../copy/testing/run.ts";
import { LoopbackRegistry } from "../copy/testing/loopback-registry.ts";

let folder: string;
let registry: LoopbackRegistry;
let image: string;

const encode = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
const descriptor = (bytes: Uint8Array, mediaType: string): object => {
  return { mediaType, digest: digestOf(bytes), size: bytes.byteLength };
};
const [layer, config, other] = [encode("a layer"), encode("{}"), encode("another layer")];
const documentOf = (...layers: readonly Uint8Array[]): object => ({
  schemaVersion: 2,
  mediaType: mediaTypes.ociManifest,
  config: descriptor(config, "application/vnd.oci.image.config.v1+json"),
  layers: layers.map((bytes) => descriptor(bytes, "application/vnd.oci.image.layer.v1.tar")),
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "periplus-fill-cli-"));
  registry = new LoopbackRegistry();
  image = registry.hold("a/b", "v1", documentOf(layer), [layer, config]);
  registry.hold("a/b", "v2", documentOf(layer, other), [other]);
});
afterEach(async () => {
  await registry[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

function fill(words: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return run(["fill", ...words], { cwd: folder, ...options });
}

function filesIn(name: string): readonly string[] {
  return existsSync(join(folder, name)) ? readdirSync(join(folder, name)).toSorted() : [];
}

const named = (...blobs: readonly Uint8Array[]): readonly string[] =>
  blobs.map((bytes) => String(digestOf(bytes))).toSorted();

test("the plan, then with --apply every bucket, the second time nothing", async () => {
  const words = [`${registry.host}/a/b:v1`, "--to", "one", "--to", "two"];
  const plan = await fill(words);
  expect(plan.status).toBe(0);
  const lines = plan.stdout.split("\n");
  expect(lines[0]).toMatch(/^STATE +DIGEST +BLOBS +SIZE +IMAGE$/);
  expect(lines[1]).toMatch(/^fill +sha256:[0-9a-f]{12} +2 of 2 +9 B +127/);
  expect(lines[4]).toMatch(new RegExp(`^0 +2 +9 B +0 +0 +2 HEADs +${folder}/one$`));
  expect(plan.stderr).toContain(
    "1 image, 2 blobs of 9 B; 2 blobs of 9 B to read once, 4 objects of 18 B to put, in about 6 requests",
  );
  expect(plan.stderr).toContain("nothing is written; --apply carries it out");
  expect(filesIn("one")).toEqual([]);
  const applied = await fill([...words, "--apply"]);
  expect([applied.status, filesIn("one"), filesIn("two")]).toEqual([0, named(layer, config), named(layer, config)]);
  expect(applied.stdout).toContain(
    `filled  ${registry.host}/a/b:v1  ${image.slice(0, 19)}  2 blobs of 9 B: 4 put, 0 there\n`,
  );
  expect(applied.stdout).toContain(`filled  ${folder}/one  2 put, 0 there, 9 B put\n`);
  expect(applied.stderr).toContain("1 filled, 0 failed; 4 objects of 18 B put in");
  expect(registry.requests.filter((request) => request.includes("/blobs/"))).toHaveLength(2);
  const again = await fill([...words, "--apply", "-o", "json"]);
  expect(linesOf(again)).toMatchObject([
    { kind: "image", status: "filled", digest: image, put: 0, there: 4 },
    { kind: "bucket", name: `${folder}/one`, put: 0, there: 2 },
    { kind: "bucket", name: `${folder}/two` },
    { kind: "summary", images: 1, filled: 1, failed: 0, put: 0 },
  ]);
});

test("every tag; files of references; standard input; a folder of images", async () => {
  const all = await fill(["--all-tags", `${registry.host}/a/b`, "--to", "all", "--apply"]);
  expect([all.status, filesIn("all")]).toEqual([0, named(layer, config, other)]);
  writeFileSync(join(folder, "images.txt"), `# images\n${registry.host}/a/b:v2 # the second\n`);
  const readFile = (path: string): Promise<string> => Bun.file(join(folder, path)).text();
  const file = await fill(["-f", "images.txt", "--to", "file", "--apply"], { readFile });
  expect([file.status, filesIn("file")]).toEqual([0, named(layer, config, other)]);
  const readStdin = (): Promise<string> => Promise.resolve(`${registry.host}/a/b:v1\n`);
  const typed = await fill(["-", "--to", "typed", "--apply"], { readStdin });
  expect([typed.status, filesIn("typed")]).toEqual([0, named(layer, config)]);
  await run(["copy", `${registry.host}/a/b:v1`, "oci:images"], { cwd: folder });
  const layout = await fill(["oci:images:v1", "--to", "layout", "--apply"]);
  expect([layout.status, filesIn("layout")]).toEqual([0, named(layer, config)]);
  const plan = linesOf(await fill(["--all-tags", `${registry.host}/a/b`, "--to", "file", "-o", "json"]));
  expect(plan).toMatchObject([
    { kind: "image", state: "there" },
    { kind: "image", state: "there" },
    { kind: "bucket", held: { blobs: 3 }, missing: { blobs: 0 } },
    { kind: "summary", images: 2, blobs: 3, puts: 0 },
  ]);
});

test("buckets of the configuration file that say where they are filled", async () => {
  const text = `
rules: [{ match: "*", upstream: registry.k8s.io, serve: redirect }]
upstreams: { registry.k8s.io: { url: "http://${registry.host}", path: a } }
redirect:
  buckets:
    - { name: one, url: "https://one.example", default: true, fill: blobs }
    - { name: two, url: "https://two.example", cloud: aws }
`;
  const readFile = (): Promise<string> => Promise.resolve(text);
  const filled = await fill(["registry.k8s.io/b:v1", "--config", "periplus.yaml", "--apply"], { readFile });
  expect([filled.stderr.includes("1 filled"), filled.status]).toEqual([true, 0]);
  expect(filesIn("blobs")).toEqual(named(layer, config));
  const none = text.replace(", fill: blobs", "");
  const refused = await fill(["registry.k8s.io/b:v1", "--config", "p.yaml"], { readFile: () => Promise.resolve(none) });
  expect([refused.status, refused.stderr]).toEqual([
    2,
    "no bucket of p.yaml says where it is filled; add redirect.buckets[].fill, or --to\n",
  ]);
});

test.each([
  [["--to", "one"], "no image is named"],
  [["nginx"], "nothing is named to fill"],
  [["nginx", "--to", "s3://one"], "has neither region nor endpoint"],
  [["nginx", "--to", "one", "--to", "./one"], "is named twice as a place to fill"],
  [["UPPER/Case:x", "also bad", "--to", "one"], '"also bad" is no place of images'],
  [["--catalog", "a b", "--to", "one"], "is no registry; write HOST or HOST/PATH"],
  [["nginx", "--to", "one", "--verify", "some"], "It is not all, a number of blobs or a share"],
])("%j is typed wrongly", async (words, message) => {
  const ran = await fill(words);
  expect([ran.status, ran.stdout]).toEqual([2, ""]);
  expect(ran.stderr).toContain(message);
});

test("every repository of a registry, at a path or all, and one that has no list", async () => {
  registry.hold("other/c", "v3", documentOf(other), [other, config]);
  const catalog = (path: string, to: string): Promise<Ran> =>
    fill(["--catalog", `${registry.host}${path}`, "--to", to, "--apply"]);
  expect([(await catalog("/other", "path")).status, filesIn("path")]).toEqual([0, named(other, config)]);
  expect([(await catalog("", "all")).status, filesIn("all")]).toEqual([0, named(layer, config, other)]);
  await using bare = startServer();
  const none = await fill(["--catalog", bare.host, `${registry.host}/a/b:v1`, "--to", "none", "--apply"]);
  expect([none.status, filesIn("none")]).toEqual([1, named(layer, config)]);
  expect(none.stdout).toContain(`${bare.host} has no list of its repositories; name them, with --all-tags`);
});

/** A registry that has nothing, not even a catalog. */
function startServer(): { readonly host: string } & AsyncDisposable {
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response(null, { status: 404 }) });
  return { host: `127.0.0.1:${server.port}`, [Symbol.asyncDispose]: () => server.stop(true) };
}

test("an image that is missing, a registry that is gone: the rest is filled", async () => {
  const words = ["--to", "one", `${registry.host}/a/b:none`, `${registry.host}/a/b:v1`];
  expect((await fill(words)).status).toBe(4);
  const applied = await fill([...words, "--apply"]);
  expect([applied.status, filesIn("one")]).toEqual([1, named(layer, config)]);
  expect(applied.stdout).toContain(`${registry.host}/a/b:none is not there`);
  expect((await fill(["127.0.0.1:9/a:b", "--to", "one"])).status).toBe(5);
});

test("--verify finds what is wrong and missing, writes nothing, and with --apply repairs", async () => {
  const words = [`${registry.host}/a/b:v2`, "--to", "one"];
  await fill([...words, "--apply"]);
  expect(await fill([...words, "--verify=all"])).toMatchObject({ status: 0 });
  writeFileSync(join(folder, "one", digestOf(layer)), "A LAYER");
  rmSync(join(folder, "one", digestOf(other)));
  const found = await fill([...words, "--verify=all", "-o", "json"]);
  expect([found.status, ...linesOf(found)]).toMatchObject([
    3,
    { kind: "verified", blobs: 3, sampled: 2, right: 1, wrong: [digestOf(layer)], missing: [digestOf(other)] },
  ]);
  const shown = await fill([...words, "--verify"]);
  expect(shown.stderr).toContain(`${folder}/one/${digestOf(layer)} has other bytes`);
  expect(shown.stdout.split("\n")[1]).toMatch(/^3 +1 +2 +[^ ]+ B +1 +1 +0 /);
  expect(await Bun.file(join(folder, "one", digestOf(layer))).text()).toBe("A LAYER");
  const repaired = await fill([...words, "--verify=all", "--apply"]);
  expect(repaired).toMatchObject({ status: 0, stdout: expect.stringContaining("1 put, 1 there, 1 replaced") });
  expect(await Bun.file(join(folder, "one", digestOf(layer))).bytes()).toEqual(layer);
  expect(await fill([...words, "--verify=all"])).toMatchObject({ status: 0 });
});

test("an object of another size is said by the plan, and not overwritten", async () => {
  mkdirSync(join(folder, "one"));
  writeFileSync(join(folder, "one", digestOf(layer)), "short");
  const words = [`${registry.host}/a/b:v1`, "--to", "one"];
  expect((await fill(words)).status).toBe(3);
  const applied = await fill([...words, "--apply"]);
  expect(applied).toMatchObject({ status: 1, stdout: expect.stringContaining("(1 wrong-bytes)") });
  expect(await Bun.file(join(folder, "one", digestOf(layer))).text()).toBe("short");
});

test("interrupted, it says so", async () => {
  const words = [`${registry.host}/a/b:v1`, "--to", "one", "--apply"];
  const ran = await fill(words, { interruptible: (interrupt) => queueMicrotask(interrupt) });
  expect([ran.status, ran.stderr.includes("stopped; what is there stays"), filesIn("one")]).toEqual([1, true, []]);
});
