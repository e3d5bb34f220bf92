import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "bun:test";
import { join } from "node:path";
import { openArchiveWriter } from "../../src/layout/archive-sink.ts";
import { openDockerWriter } from "../../src/layout/docker-write.ts";
import { openLayoutWriter } from "../../src/layout/folder-sink.ts";
import type { RepositoryName } from "../../src/layout/image-name.ts";
import type { ImageSet } from "../../src/layout/image-set.ts";
import { openArchive, openLayout } from "../../src/layout/open.ts";
import { type ImageWriter, onlyTarget } from "../../src/layout/writer.ts";
import type { Digest } from "../../src/reference/digest.ts";
import type { RegistryHost } from "../../src/reference/host.ts";
import { repository, tag } from "../../src/registry/testing/content.ts";
import { startContainerd } from "./containerd.ts";
import { copyAll } from "./copy-all.ts";
import { digestsOf, type Fixtures, type ImageFixture, pushFixtures } from "./fixtures.ts";
import { images as makeImages, LAYOUTS } from "./images.ts";
import { contentOf, entriesOf, entryNamed, manifestIn } from "./layout.ts";
import { createPodman } from "./podman.ts";
import { mustRun, type TemporaryFolder, temporaryFolder } from "./process.ts";
import { type Registry, startRegistry } from "./registry.ts";
import { binary } from "./versions.ts";

const { signal } = new AbortController();
const clock = { epochMs: () => Date.now() };
const skopeo = (...args: readonly string[]): Promise<string> =>
  mustRun([binary("skopeo"), "--insecure-policy", ...args]);
const crane = (...args: readonly string[]): Promise<string> => mustRun([binary("crane"), ...args]);
const app: RepositoryName = { host: "registry.test" as RegistryHost, repository: repository("team/app") };
const tool: RepositoryName = { host: "registry.test" as RegistryHost, repository: repository("tool") };

let registry: Registry;
let fixtures: Fixtures;
let made: string;
let folder: TemporaryFolder;

beforeAll(async () => {
  registry = await startRegistry();
  fixtures = await pushFixtures(registry.endpoint);
  made = await makeImages();
});
afterAll(() => registry[Symbol.asyncDispose]());
beforeEach(async () => {
  folder = await temporaryFolder("layout");
});
afterEach(() => folder[Symbol.asyncDispose]());

const at = (name: string): string => join(folder.path, name);
const open = (name: string, scheme: "oci-archive" | "docker-archive"): Promise<ImageSet> =>
  openArchive(at(name), scheme, { signal, temporaryFolder: folder.path, unpackedMaxBytes: 1e9 });

function digestOf(images: ImageSet, name?: string): Digest {
  const found = images.find(name);
  if (found.kind !== "found") throw new Error(found.reason);
  return found.digest;
}

interface Copy {
  readonly from: ImageSet;
  readonly name?: string;
  readonly into: ImageWriter;
  readonly as: string;
  readonly within?: RepositoryName;
  readonly platform?: string;
}

async function copyOne({ from, name, into, as, within, platform }: Copy): Promise<void> {
  const to = into.target(within);
  const chosen = platform === undefined ? {} : { platform };
  await copyAll({ from: from.source(undefined), digest: digestOf(from, name), to, tag: tag(as), ...chosen });
}

/** What a layout of a tool holds under a name is the fixture, hashed again. */
async function expectIn(layout: string, image: ImageFixture, digest: string = image.manifest.digest): Promise<void> {
  const held = await contentOf(layout, digest);
  expect([...held.keys()].toSorted()).toEqual([...digestsOf(image)].toSorted());
}

test("layouts of umoci, regctl and oras are read, and what is written of them skopeo, umoci and crane read", async () => {
  const { app: image, tool: single } = fixtures;
  await using from = await openLayout(join(made, LAYOUTS.app), signal);
  expect(from.find("1.0")).toMatchObject({ kind: "found", digest: image.manifest.digest });
  const { digest } = image.manifest;
  expect(await from.source(undefined).listReferrers(digest as Digest, { signal, timeoutMs: 1000 })).toMatchObject({
    referrers: [{ digest: fixtures.referrer.manifest.digest, artifactType: fixtures.referrer.artifactType }],
  });
  await using toolImages = await openLayout(join(made, LAYOUTS.tool), signal);
  await using into = await openLayoutWriter(at("ours"), { signal, clock });
  await copyOne({ from, name: "1.0", into, as: "1.0" });
  await copyOne({ from: toolImages, into, as: "tool" });
  await into.close();
  await expectIn(at("ours"), image);
  await skopeo("copy", "--all", "--preserve-digests", `oci:${at("ours")}:1.0`, `oci-archive:${at("theirs.tar")}:x`);
  await skopeo("copy", "--all", "--preserve-digests", `oci:${at("ours")}:1.0`, `oci:${at("theirs")}:1.0`);
  await expectIn(at("theirs"), image, (await entryNamed(at("theirs"), "1.0")).digest);
  expect((await mustRun([binary("umoci"), "ls", "--layout", at("ours")])).split("\n")).toContain("tool");
  await mustRun([binary("umoci"), "unpack", "--image", `${at("ours")}:tool`, at("bundle")]);
  expect(Bun.file(join(at("bundle"), "rootfs", "etc", "passwd")).size).toBeGreaterThan(0);
  await using theirs = await open("theirs.tar", "oci-archive");
  expect(theirs.find("x")).toMatchObject({ kind: "found", digest: image.manifest.digest });
  await using one = await openLayoutWriter(at("one"), { signal, clock });
  await copyOne({ from: toolImages, into: one, as: "2.1" });
  await one.close();
  await crane("push", at("one"), `${registry.endpoint.host}/pushed:one`);
  expect((await crane("digest", `${registry.endpoint.host}/pushed:one`)).trim()).toBe(single.manifest.digest);
});

test("what skopeo and crane write from a registry is read verbatim", async () => {
  const { app: image } = fixtures;
  const remote = `${registry.endpoint.host}/${image.repository}:${image.tag}`;
  const insecure = ["--src-tls-verify=false", "--all", "--preserve-digests"];
  await skopeo("copy", ...insecure, `docker://${remote}`, `oci:${at("skopeo")}:1.0`);
  await skopeo("copy", ...insecure, `docker://${remote}`, `oci-archive:${at("skopeo.tar")}:${remote}`);
  await crane("pull", "--format=oci", remote, at("crane"));
  await crane("pull", "--format=oci", "--annotate-ref", remote, at("annotated"));
  await using archive = await open("skopeo.tar", "oci-archive");
  const sets: readonly (readonly [ImageSet, string | undefined])[] = [
    [await openLayout(at("skopeo"), signal), "1.0"],
    [archive, remote],
    [await openLayout(at("crane"), signal), undefined],
    [await openLayout(at("annotated"), signal), remote],
  ];
  for (const [i, [from, name]] of sets.entries()) {
    await using into = await openLayoutWriter(at(`copy${i}`), { signal, clock });
    await copyOne({ from, ...(name === undefined ? {} : { name }), into, as: "1.0" });
    await into.close();
    await expectIn(at(`copy${i}`), image);
  }
});

test("images under Docker's media types stay as they are, and crane takes them", async () => {
  await using from = await openLayout(join(made, LAYOUTS.appDocker), signal);
  await using into = await openLayoutWriter(at("ours"), { signal, clock });
  await copyOne({ from, name: "1.0", into, as: "1.0" });
  await into.close();
  await expectIn(at("ours"), fixtures.appDocker);
  await crane("push", "--index", at("ours"), `${registry.endpoint.host}/pushed:docker-types`);
  const pushed = JSON.parse(await crane("manifest", `${registry.endpoint.host}/pushed:docker-types`));
  expect(pushed.manifests[0].digest).toBe(fixtures.appDocker.manifest.digest);
});

test("skopeo adds to a layout of ours, and we to what it wrote; both images stay", async () => {
  await using from = await openLayout(join(made, LAYOUTS.tool), signal);
  await using into = await openLayoutWriter(at("both"), { signal, clock });
  await copyOne({ from, into, as: "ours" });
  await into.close();
  await skopeo("copy", `oci:${join(made, LAYOUTS.tool)}:2.1`, `oci:${at("both")}:theirs`);
  await using again = await openLayoutWriter(at("both"), { signal, clock });
  await copyOne({ from, into: again, as: "ours-again" });
  await again.close();
  const names = (await entriesOf(at("both"))).map(
    ({ annotations }) => annotations?.["org.opencontainers.image.ref.name"] ?? "",
  );
  expect(new Set(names)).toEqual(new Set(["ours", "ours-again", "theirs"]));
});

test("a bundle of several images is listed, and skopeo, crane and containerd take what is in it", async () => {
  await using appImages = await openLayout(join(made, LAYOUTS.app), signal);
  await using toolImages = await openLayout(join(made, LAYOUTS.tool), signal);
  await using into = await openArchiveWriter(at("bundle.tar"), signal);
  await copyOne({ from: appImages, name: "1.0", into, as: "1.0", within: app });
  await copyOne({ from: toolImages, into, as: "2.1", within: tool });
  await into.close();
  await using bundle = await open("bundle.tar", "oci-archive");
  const rows = await bundle.list(signal);
  expect(rows.map(({ reference, digest, platforms }) => [reference, digest, platforms.length])).toEqual([
    ["registry.test/team/app:1.0", fixtures.app.manifest.digest, 2],
    ["registry.test/tool:2.1", fixtures.tool.manifest.digest, 1],
  ]);
  const sizes = await contentOf(join(made, LAYOUTS.tool), fixtures.tool.manifest.digest);
  expect(rows[1]?.sizeBytes).toBe([...sizes.values()].reduce((sum, size) => sum + size, 0));

  const archived = `oci-archive:${at("bundle.tar")}:registry.test/team/app:1.0`;
  await skopeo("copy", "--all", "--preserve-digests", archived, `oci:${at("out")}:app`);
  await expectIn(at("out"), fixtures.app, (await entryNamed(at("out"), "app")).digest);

  await mustRun(["tar", "-C", folder.path, "--one-top-level=unpacked", "-xf", at("bundle.tar")]);
  await crane("push", "--index", at("unpacked"), `${registry.endpoint.host}/pushed:bundle`);
  const pushed = JSON.parse(await crane("manifest", `${registry.endpoint.host}/pushed:bundle`));
  expect(pushed.manifests.map(({ digest }: { digest: string }) => digest)).toEqual(rows.map(({ digest }) => digest));

  await using containerd = await startContainerd();
  const imported = await containerd.ctr(["images", "import", "--all-platforms", "--no-unpack", at("bundle.tar")]);
  expect(imported).toMatchObject({ code: 0 });
  const listed = (await containerd.ctr(["images", "ls"])).stdout;
  for (const { reference = "", digest } of rows) expect(listed).toMatch(new RegExp(`${reference}.* ${digest} `));
});

test("what skopeo and crane write for docker load is read, and the image is the same", async () => {
  const { tool: image } = fixtures;
  const remote = `${registry.endpoint.host}/${image.repository}:${image.tag}`;
  const [platform] = image.platforms;
  await skopeo("copy", "--src-tls-verify=false", `docker://${remote}`, `docker-archive:${at("skopeo.tar")}:app:1.0`);
  await crane("pull", remote, at("crane.tar"));
  for (const [file, name] of [
    ["skopeo.tar", "app:1.0"],
    ["crane.tar", remote],
  ] as const) {
    await using from = await open(file, "docker-archive");
    await using into = await openLayoutWriter(at(`${file}.layout`), { signal, clock });
    await copyOne({ from, name, into, as: "1.0" });
    await into.close();
    const [entry] = await entriesOf(at(`${file}.layout`));
    await contentOf(at(`${file}.layout`), entry!.digest);
    expect((await manifestIn(at(`${file}.layout`), entry!.digest)).config?.digest).toBe(platform!.config.digest);
    await skopeo(
      "copy",
      "--dest-tls-verify=false",
      `oci:${at(`${file}.layout`)}:1.0`,
      `docker://${registry.endpoint.host}/again:${file}`,
    );
    await mustRun([binary("umoci"), "unpack", "--image", `${at(`${file}.layout`)}:1.0`, at(`${file}.unpacked`)]);
  }
});

test("podman, skopeo and crane load a docker-archive of ours", async () => {
  await using from = await openLayout(join(made, LAYOUTS.app), signal);
  await using into = await openDockerWriter(at("ours.tar"), { unpackedMaxBytes: 1e9 });
  const target = onlyTarget(into, app);
  const digest = digestOf(from, "1.0");
  await copyAll({ from: from.source(undefined), digest, to: target, tag: tag("1.0"), platform: "linux/amd64" });
  await target.close();
  const config = fixtures.app.platforms.find(({ platform }) => platform === "linux/amd64")!.config.digest;

  await using podman = await createPodman();
  const loaded = await podman.podman(["load", "--input", at("ours.tar")]);
  expect(loaded).toMatchObject({ code: 0, stdout: expect.stringContaining("registry.test/team/app:1.0") });
  const inspected = await podman.podman(["image", "inspect", "--format", "{{.Id}}", "registry.test/team/app:1.0"]);
  expect(inspected.stdout.trim()).toBe(config.replace("sha256:", ""));

  await skopeo("copy", `docker-archive:${at("ours.tar")}:registry.test/team/app:1.0`, `oci:${at("out")}:1.0`);
  const copied = await manifestIn(at("out"), (await entryNamed(at("out"), "1.0")).digest);
  expect(copied.layers).toHaveLength(3);

  await crane("push", at("ours.tar"), `${registry.endpoint.host}/pushed:docker`);
  const pushed = JSON.parse(await crane("manifest", `${registry.endpoint.host}/pushed:docker`));
  expect(pushed.config.digest).toBe(config);
});

test("podman saves in both formats what is read again", async () => {
  await using podman = await createPodman();
  const remote = `${registry.endpoint.host}/${fixtures.tool.repository}:${fixtures.tool.tag}`;
  expect(await podman.podman(["pull", "--tls-verify=false", remote])).toMatchObject({ code: 0 });
  for (const scheme of ["docker-archive", "oci-archive"] as const) {
    const file = `${scheme}.tar`;
    expect(await podman.podman(["save", "--format", scheme, "--output", at(file), remote])).toMatchObject({ code: 0 });
    await using from = await open(file, scheme);
    await using into = await openLayoutWriter(at(`${scheme}.layout`), { signal, clock });
    await copyOne({ from, name: remote, into, as: "1.0" });
    await into.close();
    const [entry] = await entriesOf(at(`${scheme}.layout`));
    const held = await contentOf(at(`${scheme}.layout`), entry!.digest);
    expect([...held.keys()]).toContain(fixtures.tool.platforms[0]!.config.digest);
  }
});
