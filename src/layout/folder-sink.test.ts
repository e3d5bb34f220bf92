import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RegistryHost } from "../reference/host.ts";
import { repository, tag } from "../registry/testing/content.ts";
import { blobPath } from "./content.ts";
import { openLayoutWriter } from "./folder-sink.ts";
import { openLayout } from "./open.ts";
import { bytesOf, imageOf, limits, putBlobs } from "./testing/images.ts";
import type { ImageWriter } from "./writer.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "periplus-layout-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const { signal } = limits;
const clock = { epochMs: () => Date.now() };
const one = imageOf("one", ["a"]);
const two = imageOf("two", ["b"]);
const write = (): Promise<ImageWriter> => openLayoutWriter(folder, { signal, clock });
const put = async (image: typeof one, name: string): Promise<void> => {
  await using writer = await write();
  await putBlobs(writer.target(undefined), image);
  await writer.target(undefined).putManifest(tag(name), image.manifest, limits);
  await writer.close();
};
const index = (): { readonly manifests: readonly object[] } =>
  JSON.parse(readFileSync(join(folder, "index.json"), "utf8"));

test("rows and fields of other tools stay; the same name is replaced", async () => {
  await put(one, "a");
  const foreign = {
    ...index().manifests[0],
    annotations: { "org.opencontainers.image.ref.name": "b", other: "x" },
    own: 1,
  };
  writeFileSync(
    join(folder, "index.json"),
    JSON.stringify({ ...index(), manifests: [foreign], annotations: { k: "v" } }),
  );
  await put(two, "a");
  await put(two, "a");
  expect(index()).toMatchObject({ annotations: { k: "v" }, manifests: [foreign, { digest: two.manifest.digest }] });
  expect(index().manifests).toHaveLength(2);
  expect(readdirSync(folder).toSorted()).toEqual(["blobs", "index.json", "oci-layout"]);
});

test("what two writers put at the same time is there", async () => {
  await put(one, "first");
  await using left = await write();
  await using right = await write();
  for (const [writer, name] of [
    [left, "left"],
    [right, "right"],
  ] as const) {
    await putBlobs(writer.target(undefined), two);
    await writer.target(undefined).putManifest(tag(name), two.manifest, limits);
  }
  await left.close();
  await right.close();
  await using images = await openLayout(folder, signal);
  expect(await images.source(undefined).listTags(limits)).toMatchObject({ tags: ["first", "left", "right"] });
});

test("a blob of another size is written again; other bytes are found when they are read", async () => {
  await put(one, "a");
  const [config, layer] = one.blobs.map(({ digest }) => join(folder, blobPath(digest)));
  truncateSync(layer!, 3);
  await put(one, "a");
  expect(statSync(layer!).size).toBe(one.blobs[1]!.bytes.length);
  writeFileSync(config!, one.blobs[0]!.bytes.toReversed());
  await using images = await openLayout(folder, signal);
  const read = await bytesOf(images.source(undefined), one.blobs[0]!.digest).catch((error: unknown) => error);
  expect(read).toMatchObject({ code: "DIGEST_INVALID", message: expect.stringContaining(config!) });
  writeFileSync(join(folder, blobPath(one.manifest.digest)), one.manifest.bytes.toReversed());
  expect(await images.source(undefined).getManifest(tag("a"), limits)).toMatchObject({ reason: "wrong-bytes" });
});

test("what a killed writer left is removed after a day, not before", async () => {
  await put(one, "a");
  await using writer = await write();
  await putBlobs(writer.target(undefined), two);
  const left = ["old.part", "new.part"].map((name) => join(folder, "ingest", name));
  for (const path of left) writeFileSync(path, "x");
  const dayAgo = Date.now() / 1000 - 25 * 60 * 60;
  utimesSync(left[0]!, dayAgo, dayAgo);
  await put(two, "b");
  expect(left.map((path) => existsSync(path))).toEqual([false, true]);
});

test.each([
  ["a folder with other things", (path: string) => writeFileSync(join(path, "x"), ""), "USAGE", "neither empty"],
  [
    "another version",
    (path: string) => writeFileSync(join(path, "oci-layout"), '{"imageLayoutVersion":"2.0.0"}'),
    "UNSUPPORTED",
    "2.0.0",
  ],
  [
    "no version",
    (path: string) => writeFileSync(join(path, "oci-layout"), "x"),
    "UNSUPPORTED",
    "no imageLayoutVersion",
  ],
] as const)("nothing is written to %s", async (_, make, code, message) => {
  make(folder);
  expect(await write().catch((error: unknown) => error)).toMatchObject({
    code,
    message: expect.stringContaining(message),
  });
});

test("nothing is read of what is no layout", async () => {
  const open = (): Promise<unknown> => openLayout(folder, signal).catch((error: unknown) => error);
  expect(await open()).toMatchObject({ code: "NAME_UNKNOWN", message: expect.stringContaining("no image layout") });
  writeFileSync(join(folder, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  expect(await open()).toMatchObject({ code: "NAME_UNKNOWN", message: expect.stringContaining("no index.json") });
  writeFileSync(join(folder, "index.json"), '{"schemaVersion":2,"manifests":[],"Manifests":[]}');
  expect(await open()).toMatchObject({ code: "MANIFEST_INVALID", message: expect.stringContaining("index.json") });
  expect(await openLayout(join(folder, "none"), signal).catch(String)).toContain("there is no folder");
});

test("bare tags and names of repositories are told apart", async () => {
  const image = imageOf("one", ["a"]);
  await using writer = await openLayoutWriter(folder, { signal, clock });
  const app = { host: "registry.example" as RegistryHost, repository: repository("app") };
  await putBlobs(writer.target(undefined), image);
  for (const within of [undefined, app]) await writer.target(within).putManifest(tag("1.0"), image.manifest, limits);
  await writer.close();
  await using images = await openLayout(folder, signal);
  expect((await images.list(signal)).map(({ reference }) => reference)).toEqual(["1.0", "registry.example/app:1.0"]);
  expect(images.find("1.0")).toMatchObject({ name: "1.0" });
});
