import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseReference } from "../reference/reference.ts";
import { tag } from "../registry/testing/content.ts";
import { openArchiveWriter } from "./archive-sink.ts";
import { openLayoutWriter } from "./folder-sink.ts";
import type { RepositoryName } from "./image-name.ts";
import type { ImageSet } from "./image-set.ts";
import { openArchive, openLayout } from "./open.ts";
import {
  blobOf,
  bytesOf,
  descriptorOf,
  found,
  imageOf,
  indexOf,
  limits,
  manifestOf,
  putBlobs,
  toPush,
} from "./testing/images.ts";
import { type ImageWriter, onlyTarget } from "./writer.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "periplus-layout-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const clock = { epochMs: () => Date.now() };
const signal = limits.signal;

/** A way to keep images, as tests use it. */
interface Kind {
  readonly write: (path: string) => Promise<ImageWriter>;
  readonly read: (path: string) => Promise<ImageSet>;
}

const kinds: Readonly<Record<string, Kind>> = {
  "a folder": {
    write: (path) => openLayoutWriter(path, { signal, clock }),
    read: (path) => openLayout(path, signal),
  },
  "an archive": {
    write: (path) => openArchiveWriter(path, signal),
    read: (path) => openArchive(path, "oci-archive", { signal, temporaryFolder: folder, unpackedMaxBytes: 1e6 }),
  },
};

function place(name: string): RepositoryName {
  const reference = parseReference(name);
  if ("kind" in reference) throw new Error(reference.reason);
  return reference;
}

describe.each(Object.entries(kinds))("%s", (_, { write, read }) => {
  const path = (): string => join(folder, "images");
  const one = imageOf("one", ["a", "b"]);
  const two = imageOf("two", ["b", "c"], "arm64");

  test("what was put is there after close, verbatim, under its tag", async () => {
    await using writer = await write(path());
    const target = onlyTarget(writer, undefined);
    await putBlobs(target, one);
    expect(await target.putManifest(tag("1.0"), one.manifest, limits)).toEqual({ kind: "found", subject: undefined });
    await target.close();
    await using images = await read(path());
    const source = images.source(undefined);
    const { bytes, digest, mediaType } = one.manifest;
    expect(await source.getManifest(tag("1.0"), limits)).toEqual({ kind: "found", bytes, digest, mediaType });
    expect(await source.headManifest(digest, limits)).toEqual({
      kind: "found",
      digest,
      mediaType,
      sizeBytes: bytes.length,
    });
    expect(await source.getManifest(tag("2.0"), limits)).toEqual({ kind: "absent" });
    expect(await source.listTags(limits)).toEqual({ kind: "found", tags: [tag("1.0")] });
    for (const blob of one.blobs) expect(await bytesOf(source, blob.digest)).toEqual(blob.bytes);
  });

  test("without close there is nothing under the final name, and another run goes on", async () => {
    let sent = 0;
    {
      await using writer = await write(path());
      await putBlobs(writer.target(undefined), one);
      await writer.target(undefined).putManifest(tag("1.0"), one.manifest, limits);
    }
    expect(await read(path()).then(() => "opened", String)).toMatch(/no index.json|there is no/);
    await using writer = await write(path());
    const target = writer.target(undefined);
    for (const blob of one.blobs) {
      expect(await target.headBlob(blob.digest, limits)).toEqual({ kind: "found", sizeBytes: blob.bytes.length });
      expect(await target.pushBlob({ ...toPush(blob), onSent: (n) => (sent += n) }, limits)).toMatchObject({
        sentBytes: 0,
      });
    }
    expect(await target.headManifest(one.manifest.digest, limits)).toEqual({ kind: "absent" });
    await target.putManifest(tag("1.0"), one.manifest, limits);
    await writer.close();
    await using images = await read(path());
    expect(images.find("1.0")).toMatchObject({ kind: "found", digest: one.manifest.digest });
    expect(sent).toBe(0);
  });

  test("several repositories share blobs, and are found by full names, in any spelling", async () => {
    await using writer = await write(path());
    const names = { app: place("registry.example/team/app"), tool: place("docker.io/library/tool") };
    await putBlobs(writer.target(names.app), one);
    await writer.target(names.app).putManifest(tag("1.0"), one.manifest, limits);
    await putBlobs(writer.target(names.tool), two);
    await writer.target(names.tool).putManifest(tag("1.0"), two.manifest, limits);
    await writer.target(names.tool).putManifest(tag("latest"), two.manifest, limits);
    await writer.close();
    await using images = await read(path());
    expect(images.find("registry.example/team/app:1.0")).toMatchObject({ kind: "found", digest: one.manifest.digest });
    expect(images.find("tool")).toMatchObject({ kind: "found", name: "docker.io/library/tool:latest" });
    expect(images.find("latest")).toMatchObject({ kind: "found", digest: two.manifest.digest });
    expect(images.find("1.0")).toMatchObject({ kind: "several" });
    expect(images.find(undefined)).toMatchObject({ kind: "several" });
    expect(images.find("other")).toMatchObject({ kind: "none", reason: expect.stringContaining("team/app:1.0") });
    expect(await images.source(names.tool).listTags(limits)).toMatchObject({ tags: [tag("1.0"), tag("latest")] });
    expect(await images.source(names.app).getManifest(tag("1.0"), limits)).toMatchObject(one.manifest);
    expect(await images.source(undefined).headManifest(tag("1.0"), limits)).toMatchObject({ reason: "refused" });
    const rows = await images.list(signal);
    expect(rows.map(({ reference, platforms }) => [reference, platforms[0]?.architecture])).toEqual([
      ["registry.example/team/app:1.0", "amd64"],
      ["docker.io/library/tool:1.0", "arm64"],
      ["docker.io/library/tool:latest", "arm64"],
    ]);
    const size = [one.manifest, ...one.blobs].reduce((sum, { bytes }) => sum + bytes.length, 0);
    expect(rows[0]?.sizeBytes).toBe(size);
  });

  test("an index reaches its children, which need no row of their own; a referrer gets one", async () => {
    const index = indexOf([one, two]);
    const sbom = blobOf("sbom");
    const config = blobOf("{}");
    const referrer = manifestOf({
      artifactType: "application/vnd.example.sbom",
      config: descriptorOf(config, "application/vnd.oci.empty.v1+json"),
      layers: [descriptorOf(sbom, "text/plain")],
      subject: descriptorOf(index, index.mediaType),
    });
    await using writer = await write(path());
    const target = writer.target(undefined);
    await Promise.all([one, two].map((image) => putBlobs(target, image)));
    await putBlobs(target, { manifest: referrer, blobs: [sbom, config] });
    for (const { manifest } of [one, two]) await target.putManifest(manifest.digest, manifest, limits);
    await target.putManifest(tag("1.0"), index, limits);
    expect(await target.putManifest(referrer.digest, referrer, limits)).toMatchObject({ subject: index.digest });
    expect(await target.listReferrers(index.digest, limits)).toMatchObject({
      referrers: [{ digest: referrer.digest }],
    });
    await writer.close();
    await using images = await read(path());
    const source = images.source(undefined);
    expect((await images.list(signal)).map(({ digest }) => digest)).toEqual([index.digest, referrer.digest]);
    expect((await images.list(signal))[0]?.platforms.map(({ architecture }) => architecture)).toEqual([
      "amd64",
      "arm64",
    ]);
    expect(images.find(undefined)).toMatchObject({ kind: "found", digest: index.digest });
    expect(await source.getManifest(two.manifest.digest, limits)).toMatchObject(two.manifest);
    expect(await source.listReferrers(index.digest, limits)).toMatchObject({
      referrers: [{ digest: referrer.digest, artifactType: "application/vnd.example.sbom" }],
    });
    expect(await source.listReferrers(one.manifest.digest, limits)).toEqual({ kind: "found", referrers: [] });
  });

  test("a stream that breaks is gone on with where it broke; wrong, long and short bytes leave nothing", async () => {
    const blob = blobOf("0123456789");
    const starts: number[] = [];
    const cut = (bytes: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array<ArrayBuffer>> =>
      new ReadableStream({
        pull(controller) {
          controller.enqueue(bytes);
          controller.close();
        },
      });
    await using writer = await write(path());
    const target = writer.target(undefined);
    const broken = await target.pushBlob(
      toPush(blob, (startByte) => {
        starts.push(startByte);
        if (startByte === 0) return Promise.resolve({ ...found(blob, 0), body: cut(blob.bytes.slice(0, 4)) });
        // As a registry that ignores ranges: from the beginning.
        return Promise.resolve(found(blob, 0));
      }),
      limits,
    );
    expect(broken).toEqual({ kind: "pushed", sentBytes: 10 });
    expect(starts).toEqual([0, 4]);
    const other = blobOf("another ten");
    const push = (bytes: string): ReturnType<typeof target.pushBlob> =>
      target.pushBlob(
        toPush(other, () => Promise.resolve({ ...found(blobOf(bytes), 0) })),
        limits,
      );
    expect(await push("another tem")).toMatchObject({ kind: "unavailable", reason: "wrong-bytes" });
    expect(await push("another ten.")).toMatchObject({ kind: "unavailable", reason: "wrong-bytes" });
    expect(await push("")).toMatchObject({ kind: "unavailable", reason: "failed" });
    expect(await target.headBlob(other.digest, limits)).toEqual({ kind: "absent" });
    const gone = await target.pushBlob(
      toPush(other, () => Promise.resolve({ kind: "absent" })),
      limits,
    );
    expect(gone).toEqual({ kind: "absent" });
    expect(await target.pushBlob(toPush(other), limits)).toMatchObject({ kind: "pushed" });
    await putBlobs(target, one);
    await target.putManifest(tag("1.0"), one.manifest, limits);
    await writer.close();
    await using images = await read(path());
    expect(await bytesOf(images.source(undefined), blob.digest)).toEqual(blob.bytes);
    expect(await bytesOf(images.source(undefined), other.digest)).toEqual(other.bytes);
  });

  test("the signal ends a push that waits for its source, and one that waits for its turn", async () => {
    await using writer = await write(path());
    const target = writer.target(undefined);
    const controller = new AbortController();
    const own = { signal: controller.signal, timeoutMs: 10_000 };
    const blob = blobOf("never comes");
    const opened = Promise.withResolvers<void>();
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({ pull: () => opened.resolve() }, { highWaterMark: 0 });
    const pushes = [1, 2].map(() =>
      target.pushBlob(
        toPush(blob, () => Promise.resolve({ ...found(blob, 0), body })),
        own,
      ),
    );
    await opened.promise;
    controller.abort();
    for (const push of pushes) expect(await push).toMatchObject({ kind: "unavailable", reason: "cancelled" });
    expect(await target.pushBlob(toPush(blob), limits)).toMatchObject({ kind: "pushed", sentBytes: 11 });
  });

  test("a manifest is refused that is none, or not what its digest says", async () => {
    await using writer = await write(path());
    const target = writer.target(undefined);
    const schema1 = manifestOf({ schemaVersion: 1 }, "x/y");
    expect(await target.putManifest(tag("a"), schema1, limits)).toMatchObject({ reason: "refused" });
    const wrong = { ...one.manifest, digest: two.manifest.digest };
    expect(await target.putManifest(tag("a"), wrong, limits)).toMatchObject({ reason: "wrong-bytes" });
  });

  test("a tag moves, and is removed; a removed manifest loses its rows", async () => {
    await using writer = await write(path());
    const target = writer.target(undefined);
    for (const image of [one, two]) await putBlobs(target, image);
    await target.putManifest(tag("a"), one.manifest, limits);
    await target.putManifest(tag("a"), two.manifest, limits);
    await target.putManifest(tag("b"), two.manifest, limits);
    await target.putManifest(tag("c"), one.manifest, limits);
    expect(await target.deleteManifest(tag("b"), limits)).toEqual({ kind: "found" });
    expect(await target.deleteManifest(tag("b"), limits)).toEqual({ kind: "absent" });
    expect(await target.deleteManifest(one.manifest.digest, limits)).toEqual({ kind: "found" });
    expect(await target.listTags(limits)).toEqual({ kind: "found", tags: [tag("a")] });
    await writer.close();
    await using images = await read(path());
    const rows = await images.list(signal);
    expect(rows.map(({ reference, digest }) => [reference, digest])).toEqual([["a", two.manifest.digest]]);
  });
});
