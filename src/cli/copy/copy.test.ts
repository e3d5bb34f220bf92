import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestOf } from "../../copy/testing/images.ts";
import { mediaTypes } from "../../manifest/media-types.ts";
import { systemClock } from "../../registry/clock.ts";
import { LoopbackRegistry } from "./testing/loopback-registry.ts";
import { linesOf, run } from "./testing/run.ts";

let folder: string;
let from: LoopbackRegistry;
let image: string;
let other: string;

const encode = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
const layer = encode("a layer");
const labels = { "org.opencontainers.image.source": "here" };
const config = encode(
  JSON.stringify({ os: "linux", architecture: "amd64", created: "2026-01-01T00:00:00Z", config: { Labels: labels } }),
);
const descriptor = (bytes: Uint8Array, mediaType: string): object => ({
  mediaType,
  digest: digestOf(bytes),
  size: bytes.byteLength,
});
const document = {
  schemaVersion: 2,
  mediaType: mediaTypes.ociManifest,
  config: descriptor(config, "application/vnd.oci.image.config.v1+json"),
  layers: [descriptor(layer, "application/vnd.oci.image.layer.v1.tar")],
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "periplus-copy-"));
  from = new LoopbackRegistry();
  image = from.hold("a/b", "v1", document, [layer, config]);
  other = from.hold("a/b", "v2", { ...document, annotations: { other: "yes" } });
  const entry = {
    ...descriptor(encode(JSON.stringify(document)), mediaTypes.ociManifest),
    platform: { os: "linux", architecture: "amd64" },
  };
  from.hold("a/b", "multi", { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [entry] });
  from.hold("a/b", `sha256-${image.slice(7)}.sig`, { ...document, annotations: { is: "a signature" } });
});
afterAll(async () => {
  await from[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

test("copy: an image with its signature, the source's tag, the second time nothing", async () => {
  await using to = new LoopbackRegistry();
  const words = ["copy", `${from.host}/a/b:v1`, `${to.host}/x`];
  const first = await run(words);
  expect(first.stdout).toStartWith(`copied   ${from.host}/a/b:v1 -> ${to.host}/x:v1  ${image.slice(0, 19)}`);
  expect(first.stdout).toContain("1 referrer");
  expect(first.stderr).toContain("1 copied, 0 skipped, 0 failed");
  expect(first.status).toBe(0);
  expect(to.held.has(`x/manifests/sha256-${image.slice(7)}.sig`)).toBe(true);
  const again = await run([...words, "-o", "json"]);
  expect(linesOf(again)).toMatchObject([
    { kind: "result", status: "skipped", digest: image },
    { kind: "summary", copied: 0, skipped: 1, failed: 0 },
  ]);
});

test("copy: what is not there, what is typed wrongly", async () => {
  await using to = new LoopbackRegistry();
  expect(await run(["copy", "UPPER/Case:x", `${to.host}/x`])).toMatchObject({ status: 2, stdout: "" });
  expect(await run(["copy", "nginx"])).toMatchObject({ status: 2 });
  expect(await run(["copy", "nginx", "x/y", "--platform", "linux"])).toMatchObject({ status: 2 });
  expect(await run(["copy", `${from.host}/a/b:v1`, `${to.host}/x@${image}`])).toMatchObject({ status: 2 });
  expect(to.requests).toEqual([]);
  const absent = await run(["copy", `${from.host}/a/b:none`, `${to.host}/x`]);
  expect(absent).toMatchObject({ status: 1, stdout: expect.stringContaining("none is not there") });
});

test("copy --all-tags: the plan, then with --apply every tag; check is the gate", async () => {
  await using to = new LoopbackRegistry();
  const ends = [`${from.host}/a/b`, `${to.host}/x`];
  expect(await run(["check", "--all-tags", ...ends])).toMatchObject({ status: 3 });
  const plan = await run(["copy", "--all-tags", ...ends]);
  expect(plan.status).toBe(0);
  expect(plan.stdout.split("\n")[0]).toMatch(/^STATE +DIGEST +SIZE +SOURCE +TARGET$/);
  expect(plan.stdout).toContain(`copy   ${other.slice(0, 19)}`);
  expect(plan.stderr).toContain("4 images: 4 to copy; at most");
  expect(to.held.size).toBe(0);
  const applied = await run(["copy", "--all-tags", "--apply", ...ends, "-o", "json"]);
  expect([applied.status, linesOf(applied).at(-1)]).toMatchObject([0, { copied: 4, failed: 0 }]);
  const before = from.requests.length;
  expect(await run(["check", "--all-tags", ...ends])).toMatchObject({ status: 0 });
  expect(from.requests.length - before).toBe(4 + 1);
  to.hold("x", "v1", { ...document, annotations: { now: "something else" } });
  const drift = await run(["check", `${from.host}/a/b:v1`, `${to.host}/x:v1`, "-o", "json"]);
  expect([drift.status, linesOf(drift)[0]]).toMatchObject([3, { state: "differs", digest: image }]);
  expect((await run(["copy", `${from.host}/a/b:v1`, `${to.host}/x:v1`, "--no-overwrite"])).stdout).toStartWith(
    "skipped",
  );
  expect(await run(["check", `${from.host}/a/b:gone`, `${to.host}/x`])).toMatchObject({ status: 4 });
  expect(await run(["check", `${from.host}/a/b:v1`, "127.0.0.1:9/x"])).toMatchObject({ status: 5 });
});

test("a source that is missing or silent as a whole is told by the status of its plan, one that is not clear is typed wrongly", async () => {
  await using to = new LoopbackRegistry();
  const status = async (...words: readonly string[]): Promise<number> => (await run(words, { cwd: folder })).status;
  const missing = ["--all-tags", `${from.host}/none`, `${to.host}/x`];
  const silent = ["--all-tags", "127.0.0.1:9/none", `${to.host}/x`];
  expect([await status("check", ...missing), await status("copy", ...missing)]).toEqual([4, 4]);
  expect([await status("check", ...silent), await status("copy", ...silent)]).toEqual([5, 5]);
  expect(await status("check", "oci:not-there:v1", `${to.host}/x`)).toBe(4);
  expect([await status("copy", "--apply", ...missing), await status("copy", "--apply", ...silent)]).toEqual([1, 1]);
  for (const tag of ["v1", "v2"]) await run(["copy", `${from.host}/a/b:${tag}`, "oci:two"], { cwd: folder });
  expect([await status("check", "oci:two", `${to.host}/x`), await status("copy", "oci:two", `${to.host}/x`)]).toEqual([
    2, 2,
  ]);
});

test("copy --all-tags: signatures go by their tags, lists of referrers never, and neither with --no-referrers", async () => {
  await using to = new LoopbackRegistry();
  await using bare = new LoopbackRegistry();
  await using held = new LoopbackRegistry();
  held.hold("a", "v1", document, [layer, config]);
  const signature = `sha256-${image.slice(7)}.sig`;
  held.hold("a", signature, { ...document, annotations: { is: "a signature" } });
  held.hold("a", `sha256-${image.slice(7)}`, { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] });
  const tagsIn = (registry: LoopbackRegistry): readonly string[] =>
    [...registry.held.keys()]
      .filter((path) => /^x.manifests.(?!sha256:)/.test(path))
      .map((path) => path.slice(12))
      .toSorted();
  const words = ["copy", "--all-tags", "--apply", `${held.host}/a`];
  expect(await run([...words, `${to.host}/x`])).toMatchObject({ status: 0 });
  expect(tagsIn(to)).toEqual([signature, "v1"]);
  expect(await run([...words, `${bare.host}/x`, "--no-referrers"])).toMatchObject({ status: 0 });
  expect(tagsIn(bare)).toEqual(["v1"]);
});

test("copy: through a folder and an archive, and back under the same digest", async () => {
  await using to = new LoopbackRegistry();
  expect(await run(["copy", `${from.host}/a/b:v1`, "oci:images"], { cwd: folder })).toMatchObject({ status: 0 });
  const archived = await run(["copy", `oci:images:${from.host}/a/b:v1`, "oci-archive:out.tar:v9"], { cwd: folder });
  expect(archived).toMatchObject({ status: 0 });
  expect(await run(["copy", "oci-archive:out.tar:v9", `${to.host}/x`], { cwd: folder })).toMatchObject({ status: 0 });
  expect((await run(["digest", `${to.host}/x:v9`])).stdout.trim()).toBe(image);
  expect((await run(["tags", "oci:images"], { cwd: folder })).stdout).toContain("v1\n");
  const missed = await run(["copy", `${from.host}/a/b:none`, "oci-archive:never.tar"], { cwd: folder });
  expect(missed).toMatchObject({ status: 1, stderr: expect.stringContaining("never.tar is not written") });
});

test("copy: a bundle of several repositories is told what is in it, and goes back under the same digests", async () => {
  await using to = new LoopbackRegistry();
  from.hold("c", "v1", { ...document, annotations: { of: "c" } }, [layer, config]);
  const at = { cwd: folder };
  const everyTag = (...words: readonly string[]) => run(["copy", "--all-tags", "--apply", ...words], at);
  for (const name of ["a/b", "c"])
    expect(await everyTag(`${from.host}/${name}`, "oci:all")).toMatchObject({ status: 0 });
  expect(await everyTag("oci:all", "bundle.tar")).toMatchObject({ status: 0 });
  const named = ["a/b:multi", "a/b:v1", "a/b:v2", "c:v1"].map((name) => `${from.host}/${name}\n`).join("");
  expect((await run(["tags", "bundle.tar"], at)).stdout).toBe(named);
  const mixed = await everyTag("bundle.tar", `${to.host}/x`);
  expect([mixed.status, to.requests]).toEqual([2, []]);
  expect(mixed.stderr).toContain(`several repositories: ${from.host}/a/b, ${from.host}/c; write one of them`);
  expect(mixed.stderr).toContain(`or '${to.host}/x/**' for a target, to put each below it`);
  for (const name of ["a/b", "c"]) {
    expect(await everyTag(`oci-archive:bundle.tar:${from.host}/${name}`, `${to.host}/${name}`)).toMatchObject({
      status: 0,
    });
  }
  for (const name of ["a/b:v1", "a/b:v2", "a/b:multi", "c:v1"]) {
    const [here, there] = [await run(["digest", `${from.host}/${name}`]), await run(["digest", `${to.host}/${name}`])];
    expect([name, there.stdout]).toEqual([name, here.stdout]);
  }
  expect(to.held.has(`a/b/manifests/sha256-${image.slice(7)}.sig`)).toBe(true);
  expect(await everyTag("bundle.tar", `${to.host}/kept/**`)).toMatchObject({ status: 0 });
  for (const name of ["a/b:v1", "a/b:v2", "a/b:multi", "c:v1"]) {
    expect((await run(["digest", `${to.host}/kept/${name}`])).stdout).toBe(
      (await run(["digest", `${from.host}/${name}`])).stdout,
    );
  }
  const none = await everyTag("oci-archive:bundle.tar:other.example/x", `${to.host}/x`);
  expect(none).toMatchObject({ status: 1, stderr: expect.stringContaining("has no tags of other.example/x") });
  from.held.delete("c/manifests/v1");
});

test("copy: ** is the repository's name, and two of one name stay apart", async () => {
  await using to = new LoopbackRegistry();
  await using other = new LoopbackRegistry();
  other.hold("a/b", "v1", { ...document, annotations: { of: "other" } }, [layer, config]);
  expect(await run(["copy", `${from.host}/a/b:v1`, `${to.host}/**`])).toMatchObject({ status: 0 });
  expect(to.held.has("a/b/manifests/v1")).toBe(true);
  for (const host of [from.host, other.host]) await run(["copy", `${host}/a/b:v1`, "oci:two"], { cwd: folder });
  const before = to.requests.length;
  const mixed = await run(["copy", "--all-tags", "--apply", "oci:two", `${to.host}/x/**`], { cwd: folder });
  expect([mixed.status, to.requests.length]).toEqual([2, before]);
  expect(mixed.stderr).toContain(
    `of oci:two several would be ${to.host}/x/a/b: ${from.host}/a/b, ${other.host}/a/b; write one of them`,
  );
  const misspelt = await run(["copy", `${from.host}/a/b:v1`, `docker://${to.host}/A/**`]);
  expect([misspelt.status, misspelt.stderr]).toEqual([
    2,
    expect.stringContaining('"A" in it is not a repository name'),
  ]);
  await run(["copy", `${from.host}/a/b:v1`, "oci:plain:1.0"], { cwd: folder });
  const nameless = await run(["copy", "oci:plain:1.0", `${to.host}/x/**`], { cwd: folder });
  expect([nameless.status, nameless.stderr]).toEqual([2, expect.stringContaining("says no name of a repository")]);
});

test("copy: an image that is alone in a bundle but for its signature needs no name there", async () => {
  await using to = new LoopbackRegistry();
  expect(await run(["copy", `${from.host}/a/b:v1`, "signed.tar"], { cwd: folder })).toMatchObject({ status: 0 });
  expect(await run(["copy", "signed.tar", `${to.host}/x`], { cwd: folder })).toMatchObject({ status: 0 });
  expect((await run(["digest", `${to.host}/x:v1`])).stdout.trim()).toBe(image);
  expect(to.held.has(`x/manifests/sha256-${image.slice(7)}.sig`)).toBe(true);
});

test("digest, manifest and tags", async () => {
  expect((await run(["digest", `${from.host}/a/b:v1`])).stdout).toBe(`${image}\n`);
  expect((await run(["digest", `${from.host}/a/b:multi`, "--platform", "linux/amd64"])).stdout).toBe(`${image}\n`);
  expect(await run(["digest", `${from.host}/a/b:multi`, "--platform", "linux/arm64"])).toMatchObject({
    status: 1,
    stderr: expect.stringContaining("it has no linux/arm64; it offers linux/amd64"),
  });
  expect(digestOf(encode((await run(["manifest", `${from.host}/a/b:v1`])).stdout))).toBe(
    image as ReturnType<typeof digestOf>,
  );
  expect((await run(["tags", `${from.host}/a/b`])).stdout).toBe("v1\nv2\nmulti\n");
  expect((await run(["tags", `${from.host}/a/b`, "--all"])).stdout).toContain(".sig\n");
});

test("inspect: platforms, layers, labels, age and signatures", async () => {
  const clock = { ...systemClock, epochMs: () => Date.parse("2026-01-11T00:00:00Z") };
  const { stdout, status } = await run(["inspect", `${from.host}/a/b:v1`], { clock });
  expect(status).toBe(0);
  for (const text of [image, "linux/amd64", "10d ago", "org.opencontainers.image.source", ".sig", digestOf(layer)]) {
    expect(stdout).toContain(text);
  }
  const [facts] = linesOf(await run(["inspect", `${from.host}/a/b:multi`, "-o", "json"]));
  expect(facts).toMatchObject({
    platforms: [{ platform: "linux/amd64", sizeBytes: layer.byteLength, config: { labels } }],
  });
});

test("login is tried, kept for its owner only, and used by the next command; logout forgets it", async () => {
  await using shut = new LoopbackRegistry({ login: "me:secret" });
  shut.hold("p/q", "v1", document, [layer, config]);
  const env = { HOME: folder };
  const words = ["login", shut.host, "-u", "me", "--password-stdin"];
  const wrong = await run(words, { env, readStdin: () => Promise.resolve("wrong") });
  expect(wrong).toMatchObject({ status: 1, stderr: expect.stringContaining("401") });
  expect(await run(["digest", `${shut.host}/p/q:v1`], { env })).toMatchObject({ status: 1 });
  const right = await run(words, { env, readStdin: () => Promise.resolve("secret\n") });
  expect(right).toMatchObject({ status: 0, stdout: "", stderr: expect.stringContaining("logged in") });
  expect((await run(["digest", `${shut.host}/p/q:v1`], { env })).stdout).toBe(`${image}\n`);
  const asked = await run(["login", shut.host], {
    env,
    prompt: (_, echo) => Promise.resolve(echo === "hidden" ? "secret" : "me"),
  });
  expect(asked).toMatchObject({ status: 0 });
  expect(await run(["login", shut.host], { env })).toMatchObject({ status: 2 });
  expect((await run(["logout", shut.host], { env })).stderr).toContain("is forgotten");
  expect((await run(["logout", shut.host], { env })).stderr).toContain("there was no login");
  const open = await run(["login", from.host, "-u", "a", "--password-stdin"], {
    env,
    readStdin: () => Promise.resolve("b"),
  });
  expect(open.stderr).toContain("asks for no login: this one was not tried");
});

test("an interrupt ends it with 1, says so, and the same command goes on", async () => {
  await using to = new LoopbackRegistry();
  const words = ["copy", "--all-tags", "--apply", `${from.host}/a/b`, `${to.host}/x`];
  let interrupt = (): void => {};
  const stdout = (text: string): void => void (text.startsWith("copied") && interrupt());
  const stopped = await run(words, { stdout, interruptible: (given) => (interrupt = given) });
  expect(stopped).toMatchObject({ status: 1, stderr: expect.stringContaining("stopped; what is there stays") });
  expect(await run(words)).toMatchObject({ status: 0 });
});
