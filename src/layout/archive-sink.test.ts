import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tag } from "../registry/testing/content.ts";
import { openArchiveWriter } from "./archive-sink.ts";
import type { ImageSet } from "./image-set.ts";
import { openArchive } from "./open.ts";
import { bytesOf, imageOf, limits, putBlobs, tarOf } from "./testing/images.ts";
import type { ImageWriter } from "./writer.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "periplus-archive-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const { signal } = limits;
const one = imageOf("one", ["a", "b"]);
const options = { signal, temporaryFolder: "", unpackedMaxBytes: 100_000 };
const path = (): string => join(folder, "images.tar");
const write = (): Promise<ImageWriter> => openArchiveWriter(path(), signal);
const open = (): Promise<ImageSet> => openArchive(path(), "oci-archive", { ...options, temporaryFolder: folder });
const put = async (): Promise<void> => {
  await using writer = await write();
  await putBlobs(writer.target(undefined), one);
  await writer.target(undefined).putManifest(tag("a"), one.manifest, limits);
  await writer.close();
};

test("a file that is there is never written over; nothing else is left beside it", async () => {
  await put();
  expect(await write().catch((error: unknown) => error)).toMatchObject({ code: "USAGE" });
  expect(readdirSync(folder)).toEqual(["images.tar"]);
});

test("one process writes it", async () => {
  await using writer = await write();
  expect(await write().catch((error: unknown) => error)).toMatchObject({ code: "STORAGE_LOCKED" });
  expect(writer.name).toBe(`oci-archive:${path()}`);
});

test("nothing put leaves nothing", async () => {
  const writer = await write();
  await writer.close();
  expect(readdirSync(folder)).toEqual([]);
});

test("of what was left, the blobs in front of the first wrong byte are kept", async () => {
  {
    await using writer = await write();
    await putBlobs(writer.target(undefined), one);
  }
  const part = readFileSync(`${path()}.part`);
  const at = part.indexOf(one.blobs[1]!.bytes);
  part[at + 20] = (part[at + 20] ?? 0) ^ 1;
  writeFileSync(`${path()}.part`, part);
  await using writer = await write();
  const held = await Promise.all(one.blobs.map(({ digest }) => writer.target(undefined).headBlob(digest, limits)));
  expect(held.map(({ kind }) => kind)).toEqual(["found", "absent", "absent"]);
  await putBlobs(writer.target(undefined), one);
  await writer.target(undefined).putManifest(tag("a"), one.manifest, limits);
  await writer.close();
  await using images = await open();
  for (const blob of one.blobs) expect(await bytesOf(images.source(undefined), blob.digest)).toEqual(blob.bytes);
});

test("sha512 names, which no short header holds, are found again", async () => {
  const hex = new Bun.CryptoHasher("sha512").update("x").digest("hex");
  const blob = { bytes: new TextEncoder().encode("x"), digest: `sha512:${hex}` as typeof one.manifest.digest };
  await using writer = await write();
  await putBlobs(writer.target(undefined), { manifest: one.manifest, blobs: [blob, ...one.blobs] });
  await writer.target(undefined).putManifest(tag("a"), one.manifest, limits);
  await writer.close();
  await using images = await open();
  expect(await bytesOf(images.source(undefined), blob.digest)).toEqual(blob.bytes);
});

test.each([
  ["gzip", Bun.gzipSync],
  ["zstd", Bun.zstdCompressSync],
])("one that %s has compressed is read, up to a limit, and leaves no file", async (_, compress) => {
  await put();
  writeFileSync(path(), compress(readFileSync(path())));
  {
    await using images = await open();
    expect(readdirSync(folder)).toEqual(["images.tar"]);
    expect(await bytesOf(images.source(undefined), one.blobs[0]!.digest)).toEqual(one.blobs[0]!.bytes);
  }
  writeFileSync(path(), compress(new Uint8Array(200_000)));
  expect(await open().catch((error: unknown) => error)).toMatchObject({ code: "SIZE_INVALID" });
  writeFileSync(
    path(),
    compress(tarOf([["index.json", crypto.getRandomValues(new Uint8Array(9000))]])).subarray(0, 5000),
  );
  // The runtime's zstd ends without a word where it is cut: then the tar says so, or what is missing in it.
  expect(await open().catch(String)).toMatch(/cannot unpack|is cut|neither index.json/);
  expect(readdirSync(folder)).toEqual(["images.tar"]);
});

test.each([
  ["xz", new Uint8Array([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]), "UNSUPPORTED", "xz"],
  ["an empty tar", tarOf([]), "MANIFEST_INVALID", "neither index.json nor manifest.json"],
  ["no oci-layout", tarOf([["index.json", '{"schemaVersion":2,"manifests":[]}']]), "MANIFEST_INVALID", "no oci-layout"],
  [
    "a broken index",
    tarOf([
      ["oci-layout", '{"imageLayoutVersion":"1.0.0"}'],
      ["index.json", "{"],
    ]),
    "MANIFEST_INVALID",
    "index.json in",
  ],
  ["a hostile tar", tarOf([["../index.json", "{}"]]), "MANIFEST_INVALID", "does not stay inside"],
])("not read: %s", async (_, bytes, code, message) => {
  writeFileSync(path(), bytes);
  expect(await open().catch((error: unknown) => error)).toMatchObject({
    code,
    message: expect.stringContaining(message),
  });
});
