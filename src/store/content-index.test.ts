import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Database } from "bun:sqlite";
import { type Digest, digestFrom } from "../reference/digest.ts";
import type { RegistryHost } from "../reference/host.ts";
import type { Repository, Tag } from "../reference/repository.ts";
import type { BlobRow, ContentIndex, Place } from "./content-index.ts";
import { openSqliteIndexes } from "./sqlite/sqlite-index.ts";

// The contract of every index. An index in another database runs these same tests.
const kinds: readonly [string, (folder: string) => ContentIndex][] = [
  ["sqlite", (folder) => openSqliteIndexes(join(folder, "index.db")).content],
];

const place: Place = { upstream: "quay.io" as RegistryHost, repository: "a/b" as Repository };
const other: Place = { upstream: "quay.io" as RegistryHost, repository: "c" as Repository };
const digest = (byte: string): Digest => digestFrom("sha256", byte.repeat(32));
const blob = (byte: string, pulledAtMs: number, ruleId = "r"): BlobRow => ({
  digest: digest(byte),
  sizeBytes: 10,
  ruleId,
  pulledAtMs,
});

for (const [kind, make] of kinds) {
  let folder: string;
  let index: ContentIndex;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "periplus-index-"));
    index = make(folder);
  });
  afterEach(async () => {
    await index.close();
    rmSync(folder, { recursive: true });
  });

  test(`${kind}: a digest is served only where it was seen`, async () => {
    await index.putBlob(place, blob("aa", 1));
    expect(await index.blobAt(place, digest("aa"))).toEqual(blob("aa", 1));
    expect(await index.blobAt(other, digest("aa"))).toBeUndefined();
    await index.link(other, digest("aa"));
    expect(await index.blobAt(other, digest("aa"))).toEqual(blob("aa", 1));
    await index.removeBlob(digest("aa"));
    expect(await index.blobAt(place, digest("aa"))).toBeUndefined();
    await index.putBlob(place, blob("aa", 2));
    expect(await index.blobAt(other, digest("aa"))).toBeUndefined();
  });

  test(`${kind}: manifests come back byte for byte`, async () => {
    const row = { digest: digest("bb"), mediaType: "x/y", bytes: new Uint8Array([0, 123, 255, 10]) };
    await index.putManifest(place, row);
    expect(await index.manifestAt(place, digest("bb"))).toEqual(row);
    expect(await index.manifestAt(other, digest("bb"))).toBeUndefined();
    expect(await index.manifest(digest("bb"))).toEqual(row);
  });

  test(`${kind}: a tag moves, and goes`, async () => {
    const tag = "v1" as Tag;
    const row = { tag, digest: digest("cc"), mediaType: undefined, sizeBytes: undefined, checkedAtMs: 5 };
    await index.putTag(place, row);
    expect(await index.tag(place, tag)).toEqual(row);
    await index.putTag(place, { ...row, digest: digest("dd"), mediaType: "x/y", sizeBytes: 3, checkedAtMs: 6 });
    expect(await index.tag(place, tag)).toEqual({
      tag,
      digest: digest("dd"),
      mediaType: "x/y",
      sizeBytes: 3,
      checkedAtMs: 6,
    });
    expect((await index.tagsOf(digest("dd"))).map((held) => [held.place, held.held])).toEqual([[place, false]]);
    await index.removeTag(place, tag);
    expect(await index.tag(place, tag)).toBeUndefined();
  });

  test(`${kind}: pages are kept by place and key`, async () => {
    const page = {
      bytes: new Uint8Array([1]),
      mediaType: "x",
      nextQuery: "n=1",
      filtersApplied: undefined,
      checkedAtMs: 1,
    };
    await index.putPage(place, "tags?", page);
    await index.putPage(place, "tags?", { ...page, checkedAtMs: 2, nextQuery: undefined });
    expect(await index.page(place, "tags?")).toEqual({ ...page, checkedAtMs: 2, nextQuery: undefined });
    expect(await index.page(other, "tags?")).toBeUndefined();
  });

  test(`${kind}: the oldest pulls come first, of one rule or of all, and a pull never makes a blob older`, async () => {
    for (const [byte, at, rule] of [
      ["01", 30, "r"],
      ["02", 10, "r"],
      ["03", 20, "s"],
    ] as const)
      await index.putBlob(place, blob(byte, at, rule));
    await index.touch(
      new Map([
        [digest("02"), 40],
        [digest("03"), 5],
      ]),
    );
    const of = async (rule: string | undefined, before: number): Promise<string[]> =>
      (await index.oldest(rule, before, 9)).map((row) => row.digest.slice(7, 9));
    expect(await of(undefined, 100)).toEqual(["03", "01", "02"]);
    expect(await of("r", 100)).toEqual(["01", "02"]);
    expect(await of("r", 35)).toEqual(["01"]);
    expect(await index.sizes()).toEqual(
      new Map([
        ["r", 20],
        ["s", 10],
      ]),
    );
  });

  test(`${kind}: walks go on after where they stopped`, async () => {
    for (const byte of ["01", "02", "03"]) {
      await index.putBlob(place, blob(byte, 1));
      await index.putTag(place, {
        tag: `t${byte}` as Tag,
        digest: digest(byte),
        mediaType: undefined,
        sizeBytes: 1,
        checkedAtMs: 1,
      });
    }
    const first = await index.blobsAfter("", 2);
    expect((await index.blobsAfter(first.at(-1)?.digest ?? "", 9)).map((row) => row.digest)).toEqual([digest("03")]);
    const tags = await index.tagsAfter(undefined, 2);
    const last = tags.at(-1);
    expect(
      (await index.tagsAfter(last && { place: last.place, tag: last.tag }, 9)).map((row) => String(row.tag)),
    ).toEqual(["t03"]);
    expect(await index.counts()).toEqual({ blobs: 3, manifests: 0, tags: 3 });
  });

  test(`${kind}: a link is taken back at one place, with the tags there that name it`, async () => {
    const row = { digest: digest("bb"), mediaType: "x/y", bytes: new Uint8Array([1]) };
    const tag = { tag: "v1" as Tag, digest: row.digest, mediaType: undefined, sizeBytes: 1, checkedAtMs: 1 };
    for (const at of [place, other]) {
      await index.putManifest(at, row);
      await index.putTag(at, tag);
    }
    await index.putTag(place, { ...tag, tag: "v2" as Tag, digest: digest("cc") });
    await index.unlink(place, row.digest);
    expect(await index.manifestAt(place, row.digest)).toBeUndefined();
    expect(await index.manifestAt(other, row.digest)).toEqual(row);
    expect(await index.placesOf(row.digest)).toEqual([other]);
    expect((await index.tagsAfter(undefined, 9)).map((held) => [held.place.repository, String(held.tag)])).toEqual([
      [place.repository, "v2"],
      [other.repository, "v1"],
    ]);
  });

  test(`${kind}: links are walked by place and digest, and say whether their content is held`, async () => {
    await index.putBlob(place, blob("02", 1));
    await index.putManifest(place, { digest: digest("01"), mediaType: "x/y", bytes: new Uint8Array([1]) });
    await index.link(other, digest("03"));
    const first = await index.linksAfter(undefined, 2);
    expect(first).toEqual([
      { place, digest: digest("01"), held: true },
      { place, digest: digest("02"), held: true },
    ]);
    expect(await index.linksAfter(first.at(-1), 9)).toEqual([{ place: other, digest: digest("03"), held: false }]);
  });

  test(`${kind}: manifests are walked in digest order`, async () => {
    const rows = ["02", "01", "03"].map((byte) => {
      return { digest: digest(byte), mediaType: "x/y", bytes: new Uint8Array([Number(byte)]) };
    });
    for (const row of rows) await index.putManifest(place, row);
    const first = await index.manifestsAfter("", 2);
    expect(first.map((row) => row.bytes[0])).toEqual([1, 2]);
    expect(await index.manifestsAfter(first.at(-1)?.digest ?? "", 9)).toEqual(rows.slice(2));
  });

  test(`${kind}: pages are walked by place and key, and go`, async () => {
    const page = {
      bytes: new Uint8Array([1, 2, 3]),
      mediaType: "x",
      nextQuery: undefined,
      filtersApplied: undefined,
      checkedAtMs: 7,
    };
    for (const key of ["tags?n=2", "tags?"]) await index.putPage(place, key, page);
    await index.putPage(other, "tags?", page);
    const first = await index.pagesAfter(undefined, 2);
    expect(first).toEqual([
      { place, key: "tags?", sizeBytes: 3, checkedAtMs: 7 },
      { place, key: "tags?n=2", sizeBytes: 3, checkedAtMs: 7 },
    ]);
    await index.removePage(other, "tags?");
    expect(await index.pagesAfter(first.at(-1), 9)).toEqual([]);
    expect(await index.page(place, "tags?")).toBeDefined();
  });

  test(`${kind}: what was written is there when it is opened again`, async () => {
    await index.putBlob(place, blob("ee", 1));
    await index.close();
    index = make(folder);
    expect((await index.blobAt(place, digest("ee")))?.sizeBytes).toBe(10);
  });
}

test("sqlite: an index of a newer format is refused and not touched", async () => {
  const folder = mkdtempSync(join(tmpdir(), "periplus-index-"));
  const file = join(folder, "index.db");
  const database = new Database(file, { create: true });
  database.run("PRAGMA user_version = 99");
  database.close();
  expect(() => openSqliteIndexes(file)).toThrow("newer version");
  rmSync(folder, { recursive: true });
});
