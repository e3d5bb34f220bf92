import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RegistryHost } from "../reference/host.ts";
import { repository, tag } from "../registry/testing/content.ts";
import { inMemory } from "./bytes.ts";
import { openDockerWriter } from "./docker-write.ts";
import type { ImageSet } from "./image-set.ts";
import { openArchive } from "./open.ts";
import { indexTar } from "./tar-index.ts";
import {
  blobOf,
  bytesOf,
  descriptorOf,
  imageOf,
  indexOf,
  limits,
  manifestOf,
  putBlobs,
  type TestImage,
  tarOf,
  toPush,
} from "./testing/images.ts";
import { blocks, octal, testHeader } from "./testing/tar-block.ts";
import type { ImageWriter } from "./writer.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "periplus-docker-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const { signal } = limits;
const path = (): string => join(folder, "saved.tar");
const open = (): Promise<ImageSet> =>
  openArchive(path(), "docker-archive", { signal, temporaryFolder: folder, unpackedMaxBytes: 1e6 });
const app = { host: "registry.example" as RegistryHost, repository: repository("team/app") };

describe("read", () => {
  const layers = ["one", "two"].map((text) => blobOf(tarOf([["file", text]])));
  const configOf = (diffIds: readonly string[]): string =>
    JSON.stringify({ os: "linux", architecture: "arm64", rootfs: { type: "layers", diff_ids: diffIds } });
  const config = blobOf(configOf(layers.map(({ digest }) => digest)));
  const row = {
    Config: "c.json",
    RepoTags: ["registry.example/app:1.0", "app:latest"],
    Layers: ["l0/layer.tar", "l1/layer.tar"],
  };
  const files = (manifest: unknown): readonly (readonly [string, string | Uint8Array])[] => [
    ["c.json", config.bytes],
    ["l0/layer.tar", layers[0]!.bytes],
    ["l1/layer.tar", layers[1]!.bytes],
    ["manifest.json", JSON.stringify(manifest)],
  ];

  test("an image is found under each of its names; its manifest names the bytes as they lie there", async () => {
    writeFileSync(path(), tarOf(files([row])));
    await using images = await open();
    const found = images.find("app");
    expect(found).toMatchObject({ kind: "found", name: "app:latest" });
    const source = images.source(undefined);
    const answer = await source.getManifest(tag("1.0"), limits);
    if (answer.kind !== "found") throw new Error(JSON.stringify(answer));
    expect(answer.digest).toBe(blobOf(answer.bytes).digest);
    expect(answer.mediaType).toBe("application/vnd.oci.image.manifest.v1+json");
    expect(JSON.parse(new TextDecoder().decode(answer.bytes))).toEqual({
      schemaVersion: 2,
      mediaType: answer.mediaType,
      config: descriptorOf(config, "application/vnd.oci.image.config.v1+json"),
      layers: layers.map((layer) => descriptorOf(layer, "application/vnd.oci.image.layer.v1.tar")),
    });
    for (const blob of [config, ...layers]) expect(await bytesOf(source, blob.digest)).toEqual(blob.bytes);
    expect(await images.list(signal)).toMatchObject([
      { reference: "registry.example/app:1.0", platforms: [{ architecture: "arm64" }] },
      { reference: "app:latest" },
    ]);
  });

  test("an image without a name, a layer that is a link to another one's, and a compressed layer are read", async () => {
    const gzip = blobOf(Bun.gzipSync(layers[1]!.bytes));
    const linked = blobOf(configOf([layers[0]!.digest, layers[0]!.digest, layers[1]!.digest]));
    const manifest = JSON.stringify([
      { Config: "c.json", RepoTags: null, Layers: ["a/layer.tar", "b/layer.tar", "c.tar.gz"] },
    ]);
    const entry = (name: string, bytes: Uint8Array | string): Uint8Array =>
      blocks(testHeader({ name, size: octal(Buffer.from(bytes).byteLength) }), bytes);
    const parts = [
      entry("c.json", linked.bytes),
      entry("a/layer.tar", layers[0]!.bytes),
      entry("c.tar.gz", gzip.bytes),
    ];
    const link = testHeader({ name: "b/layer.tar", type: "2", linkName: "../a/layer.tar" });
    writeFileSync(path(), Buffer.concat([...parts, link, entry("manifest.json", manifest)]));
    await using images = await open();
    const found = images.find(undefined);
    if (found.kind !== "found") throw new Error(found.reason);
    const answer = await images.source(undefined).getManifest(found.digest, limits);
    const json = answer.kind === "found" ? JSON.parse(new TextDecoder().decode(answer.bytes)) : {};
    expect(json.layers).toEqual([
      descriptorOf(layers[0]!, "application/vnd.oci.image.layer.v1.tar"),
      descriptorOf(layers[0]!, "application/vnd.oci.image.layer.v1.tar"),
      descriptorOf(gzip, "application/vnd.oci.image.layer.v1.tar+gzip"),
    ]);
  });

  test("where there is an index.json as well, that is read", async () => {
    const image = imageOf("one", ["a"]);
    const index = {
      schemaVersion: 2,
      manifests: [
        {
          ...descriptorOf(image.manifest, image.manifest.mediaType),
          annotations: {
            "io.containerd.image.name": "docker.io/library/app:1.0",
            "org.opencontainers.image.ref.name": "1.0",
          },
        },
      ],
    };
    const blobs = [image.manifest, ...image.blobs].map(
      ({ digest, bytes }) => [`blobs/sha256/${digest.slice(7)}`, bytes] as const,
    );
    writeFileSync(
      path(),
      tarOf([
        ...blobs,
        ["manifest.json", "[]"],
        ["oci-layout", '{"imageLayoutVersion":"1.0.0"}'],
        ["index.json", JSON.stringify(index)],
      ]),
    );
    await using images = await open();
    expect(images.find("app:1.0")).toMatchObject({ kind: "found", digest: image.manifest.digest });
  });

  test.each([
    ["not a list", files({}), "manifest.json"],
    ["no such config", files([{ ...row, Config: "d.json" }]), "names d.json, which is not there"],
    ["no such layer", files([{ ...row, Layers: ["l0/layer.tar", "l2/layer.tar"] }]), "names l2/layer.tar"],
    ["layers in another order", files([{ ...row, Layers: row.Layers.toReversed() }]), "not those of the config"],
    ["a layer less", files([{ ...row, Layers: ["l0/layer.tar"] }]), "not those of the config"],
    ["a config that is none", files([{ ...row, Config: "l0/layer.tar" }]), "not those of the config"],
  ])("refused: %s", async (_, all, words) => {
    writeFileSync(path(), tarOf(all));
    const failure = await open().catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "MANIFEST_INVALID" });
    expect(String(failure)).toContain(words);
    expect(String(failure)).toContain(path());
  });
});

describe("written", () => {
  const write = (): Promise<ImageWriter> => openDockerWriter(path(), { unpackedMaxBytes: 100_000 });
  const one = imageOf("one", ["a", "b"]);

  async function rows(): Promise<readonly Record<string, unknown>[]> {
    const tar = await indexTar(inMemory("saved.tar", new Uint8Array(readFileSync(path()))), signal);
    const manifest = tar.file("manifest.json");
    return JSON.parse(new TextDecoder().decode(await manifest?.read(0, manifest.sizeBytes)));
  }

  test("layers lie there unpacked, under the digests that the config names, and are read back", async () => {
    await using writer = await write();
    await putBlobs(writer.target(app), one);
    await writer.target(app).putManifest(tag("1.0"), one.manifest, limits);
    await writer.target(app).putManifest(tag("1"), one.manifest, limits);
    expect(readdirSync(folder)).toContain("saved.tar.part");
    await writer.close();
    expect(readdirSync(folder)).toEqual(["saved.tar"]);
    const { rootfs } = JSON.parse(new TextDecoder().decode(one.blobs[0]!.bytes));
    expect(await rows()).toEqual([
      {
        Config: `${one.blobs[0]!.digest.slice(7)}.json`,
        RepoTags: ["registry.example/team/app:1.0", "registry.example/team/app:1"],
        Layers: rootfs.diff_ids.map((id: string) => `${id.slice(7)}.tar`),
      },
    ]);
    await using images = await open();
    const source = images.source(app);
    for (const id of rootfs.diff_ids) expect(blobOf(new Uint8Array(await bytesOf(source, id))).digest).toBe(id);
    expect(await bytesOf(source, one.blobs[0]!.digest)).toEqual(one.blobs[0]!.bytes);
  });

  test("a layer that comes packed in two ways lies there once; a bare tag is no name for docker", async () => {
    const packed = [Bun.gzipSync, Bun.zstdCompressSync, (bytes: Uint8Array<ArrayBuffer>) => bytes].map((pack, i) =>
      repacked(one, (bytes) => new Uint8Array(pack(bytes)), `v${i}`),
    );
    await using writer = await write();
    for (const { image } of packed) await putBlobs(writer.target(undefined), image);
    for (const { image, name } of packed) {
      expect(await writer.target(undefined).putManifest(tag(name), image.manifest, limits)).toMatchObject({
        kind: "found",
      });
    }
    await writer.close();
    const all = await rows();
    expect(all).toHaveLength(3);
    expect(new Set(all.map(({ Layers }) => JSON.stringify(Layers))).size).toBe(1);
    expect(all.map(({ RepoTags }) => RepoTags)).toEqual([null, null, null]);
  });

  test("an index, an artifact, and what was not put are refused in words", async () => {
    await using writer = await write();
    const target = writer.target(app);
    expect(await target.putManifest(tag("a"), one.manifest, limits)).toMatchObject({
      reason: "refused",
      message: expect.stringContaining("config has not been put"),
    });
    await putBlobs(target, one);
    expect(await target.putManifest(tag("a"), indexOf([one]), limits)).toMatchObject({
      reason: "refused",
      message: expect.stringContaining("choose one platform"),
    });
    const sbom = blobOf("sbom");
    const artifact = manifestOf({
      config: descriptorOf(one.blobs[0]!, "x/y"),
      layers: [descriptorOf(sbom, "text/plain")],
    });
    expect(await target.putManifest(tag("a"), artifact, limits)).toMatchObject({
      message: expect.stringContaining("a layer of it has not been put"),
    });
    await target.pushBlob(toPush(sbom), limits);
    expect(await target.putManifest(tag("a"), artifact, limits)).toMatchObject({
      message: expect.stringContaining("no image that docker can load"),
    });
    await writer.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  test("a layer that unpacks to too much, or is broken, leaves nothing of it in the archive", async () => {
    await using writer = await write();
    const target = writer.target(app);
    const bomb = blobOf(Bun.gzipSync(new Uint8Array(5_000_000)));
    const broken = blobOf(Bun.gzipSync(crypto.getRandomValues(new Uint8Array(90_000))).subarray(0, 50_000));
    expect(await target.pushBlob(toPush(bomb), limits)).toMatchObject({
      kind: "unavailable",
      message: expect.stringContaining("more than the 100000 bytes"),
    });
    expect(await target.pushBlob(toPush(broken), limits)).toMatchObject({ kind: "unavailable", reason: "failed" });
    await putBlobs(target, one);
    await target.putManifest(tag("1.0"), one.manifest, limits);
    await writer.close();
    await using images = await open();
    expect(images.find("registry.example/team/app:1.0")).toMatchObject({ kind: "found" });
  });
});

/** The same image with its layers packed in another way. */
function repacked(
  image: TestImage,
  pack: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>,
  name: string,
): { readonly image: TestImage; readonly name: string } {
  const [config, ...layers] = image.blobs;
  const packed = layers.map(({ bytes }) => blobOf(pack(Bun.gunzipSync(bytes))));
  const manifest = manifestOf({
    config: descriptorOf(config!, "application/vnd.oci.image.config.v1+json"),
    layers: packed.map((layer) => descriptorOf(layer, "application/vnd.oci.image.layer.v1.tar")),
    annotations: { name },
  });
  return { image: { manifest, blobs: [config!, ...packed] }, name };
}
