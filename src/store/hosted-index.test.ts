import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Digest, digestFrom } from "../reference/digest.ts";
import type { RegistryHost } from "../reference/host.ts";
import type { Repository, Tag } from "../reference/repository.ts";
import type { ContentIndex, Place } from "./content-index.ts";
import type { HostedIndex, HostedManifest, HostedNeed } from "./hosted-index.ts";
import { openSqliteIndexes } from "./sqlite/sqlite-index.ts";

// The contract of every index of our own repositories, with the cache's index that it shares its content with.
interface Indexes {
  readonly content: ContentIndex;
  readonly hosted: HostedIndex;
}
const kinds: readonly [string, (folder: string) => Indexes][] = [
  ["sqlite", (folder) => openSqliteIndexes(join(folder, "index.db"))],
];

const repository = "team/app" as Repository;
const other = "team/web" as Repository;
const place: Place = { upstream: "quay.io" as RegistryHost, repository: "a/b" as Repository };
const mediaType = "application/vnd.oci.image.manifest.v1+json";
const digest = (byte: string): Digest => digestFrom("sha256", byte.repeat(32));
const tag = (name: string, isImmutable = false): HostedManifest["tags"][number] => ({ name: name as Tag, isImmutable });
const blobs = (...bytes: readonly string[]): readonly HostedNeed[] =>
  bytes.map((byte) => ({ digest: digest(byte), as: "blob" }));

function manifest(byte: string, more: Partial<HostedManifest> = {}): HostedManifest {
  const needs = more.needs ?? [];
  return {
    digest: digest(byte),
    mediaType,
    bytes: new TextEncoder().encode(`{"is":"${byte}"}`),
    needs,
    parts: needs.map((need) => need.digest),
    tags: [],
    refersTo: undefined,
    ...more,
  };
}

function refersTo(subject: string, artifactType: string): HostedManifest["refersTo"] {
  return { subject: digest(subject), artifactType, descriptor: JSON.stringify({ artifactType }) };
}

for (const [kind, make] of kinds) {
  let folder: string;
  let content: ContentIndex;
  let hosted: HostedIndex;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "periplus-hosted-"));
    ({ content, hosted } = make(folder));
  });
  afterEach(async () => {
    await content.close();
    rmSync(folder, { recursive: true });
  });

  const addBlob = (at: Repository, byte: string, leasedAtMs = 1): Promise<void> =>
    hosted.addBlob(at, { digest: digest(byte), sizeBytes: 10, leasedAtMs });
  const tagsNow = async (at: Repository): Promise<readonly string[]> => hosted.tags(at, "", 99);

  test(`${kind}: a blob belongs to the repositories it was pushed or mounted to, and to no other`, async () => {
    await addBlob(repository, "aa", 5);
    expect(await hosted.blob(repository, digest("aa"))).toEqual({ digest: digest("aa"), sizeBytes: 10, leasedAtMs: 5 });
    expect(await hosted.blob(other, digest("aa"))).toBeUndefined();
    expect(await hosted.manifest(repository, digest("aa"))).toBeUndefined();
    expect(await hosted.mountBlob(other, digest("aa"), 6)).toBe(true);
    expect(await hosted.mountBlob(other, digest("bb"), 6)).toBe(false);
    expect((await hosted.repositoriesWith(digest("aa"), 9)).toSorted()).toEqual([repository, other]);
    expect(await hosted.repositoriesWith(digest("aa"), 1)).toHaveLength(1);
    expect(await hosted.removeBlob(repository, digest("aa"))).toBe(true);
    expect(await hosted.removeBlob(repository, digest("aa"))).toBe(false);
    expect(await hosted.blob(repository, digest("aa"))).toBeUndefined();
    expect((await hosted.blob(other, digest("aa")))?.leasedAtMs).toBe(6);
  });

  test(`${kind}: a promise is renewed, never shortened, and only for what is there`, async () => {
    await addBlob(repository, "aa", 5);
    expect(await hosted.lease(repository, digest("aa"), 9)).toBe(true);
    expect(await hosted.lease(repository, digest("aa"), 7)).toBe(true);
    await addBlob(repository, "aa", 8);
    expect((await hosted.blob(repository, digest("aa")))?.leasedAtMs).toBe(9);
    expect(await hosted.lease(other, digest("aa"), 9)).toBe(false);
    await hosted.addManifest(repository, manifest("cc"), 9);
    expect(await hosted.lease(repository, digest("cc"), 9)).toBe(false);
  });

  test(`${kind}: a manifest comes back byte for byte, by digest and by tag`, async () => {
    const bytes = new Uint8Array([0, 123, 255, 10]);
    expect(await hosted.addManifest(repository, manifest("aa", { bytes, tags: [tag("v1")] }), 1)).toEqual({
      kind: "added",
    });
    const row = { digest: digest("aa"), mediaType, bytes };
    expect(await hosted.manifest(repository, digest("aa"))).toEqual(row);
    expect(await hosted.tagged(repository, "v1" as Tag)).toEqual(row);
    expect(await hosted.manifest(other, digest("aa"))).toBeUndefined();
    expect(await hosted.tagged(other, "v1" as Tag)).toBeUndefined();
    expect(await hosted.blob(repository, digest("aa"))).toBeUndefined();
  });

  test(`${kind}: the same bytes are a blob and a manifest of one repository, whichever came first`, async () => {
    for (const at of [repository, other]) {
      if (at === repository) await addBlob(at, "aa");
      await hosted.addManifest(at, manifest("aa"), 1);
      if (at === other) await addBlob(at, "aa");
      expect(await hosted.blob(at, digest("aa"))).toBeDefined();
      expect(await hosted.manifest(at, digest("aa"))).toBeDefined();
      await hosted.removeManifest(at, digest("aa"), []);
      expect(await hosted.blob(at, digest("aa"))).toBeDefined();
      expect(await hosted.manifest(at, digest("aa"))).toBeUndefined();
    }
  });

  test(`${kind}: each repository, and the cache, has a manifest with the media type that it came with there`, async () => {
    await hosted.addManifest(repository, manifest("aa", { mediaType: "x/one" }), 1);
    await hosted.addManifest(other, manifest("aa", { mediaType: "x/two" }), 1);
    const { bytes } = manifest("aa");
    await content.putManifest(place, { digest: digest("aa"), mediaType: "x/three", bytes });
    await hosted.addManifest(other, manifest("aa", { mediaType: "x/four" }), 1);
    expect((await hosted.manifest(repository, digest("aa")))?.mediaType).toBe("x/one");
    expect((await hosted.manifest(other, digest("aa")))?.mediaType).toBe("x/four");
    expect((await content.manifestAt(place, digest("aa")))?.mediaType).toBe("x/three");
  });

  test.each<[string, Partial<HostedManifest>, string]>([
    ["a blob that nobody has", { needs: blobs("01", "0f") }, "0f"],
    ["a blob of another repository", { needs: blobs("01", "02") }, "02"],
    ["a manifest where a blob has to be", { needs: blobs("03") }, "03"],
    ["a manifest that is not there", { needs: [{ digest: digest("0f"), as: "either" }] }, "0f"],
  ])(`${kind}: a manifest that needs %s is refused, and nothing of it is kept`, async (_, more, missing) => {
    await addBlob(repository, "01");
    await addBlob(other, "02");
    await hosted.addManifest(repository, manifest("03", { tags: [tag("v1"), tag("fixed")] }), 1);
    const refused = manifest("aa", {
      ...more,
      tags: [tag("v1"), tag("v2"), tag("once", true)],
      refersTo: refersTo("bb", "x/y"),
    });
    expect(await hosted.addManifest(repository, refused, 50)).toEqual({ kind: "missing", digest: digest(missing) });
    expect(await hosted.manifest(repository, digest("aa"))).toBeUndefined();
    expect(await tagsNow(repository)).toEqual(["fixed", "v1"]);
    expect((await hosted.tagged(repository, "v1" as Tag))?.digest).toBe(digest("03"));
    const query = { subject: digest("bb"), artifactType: undefined, after: "", limit: 9 };
    expect(await hosted.referrers(repository, query)).toEqual([]);
    // Nothing was promised to it either, and nothing is named by it.
    expect((await hosted.blob(repository, digest("01")))?.leasedAtMs).toBe(1);
    expect(await hosted.collectBlob(repository, digest("01"), 2)).toBe(true);
  });

  test(`${kind}: an index may need blobs and manifests`, async () => {
    await addBlob(repository, "01");
    await hosted.addManifest(repository, manifest("02"), 1);
    const needs: readonly HostedNeed[] = ["01", "02"].map((byte) => ({ digest: digest(byte), as: "either" }));
    expect(await hosted.addManifest(repository, manifest("aa", { needs }), 1)).toEqual({ kind: "added" });
    expect(await hosted.collectBlob(repository, digest("01"), 99)).toBe(false);
  });

  test(`${kind}: a tag moves; an immutable one is set once, and again for the same manifest alone`, async () => {
    const put = (byte: string, ...tags: HostedManifest["tags"]): Promise<unknown> =>
      hosted.addManifest(repository, manifest(byte, { tags }), 1);
    await put("aa", tag("latest"), tag("v1", true));
    expect(await put("bb", tag("latest"), tag("v1", true))).toEqual({ kind: "immutable", tag: "v1" });
    expect(await hosted.manifest(repository, digest("bb"))).toBeUndefined();
    expect((await hosted.tagged(repository, "latest" as Tag))?.digest).toBe(digest("aa"));
    expect(await put("aa", tag("v1", true))).toEqual({ kind: "added" });
    expect(await put("bb", tag("latest"), tag("v2", true))).toEqual({ kind: "added" });
    expect((await hosted.tagged(repository, "latest" as Tag))?.digest).toBe(digest("bb"));
    expect(await hosted.tagsOf(repository, digest("bb"))).toEqual(["latest" as Tag, "v2" as Tag]);
    expect(await hosted.removeTag(repository, "v2" as Tag)).toBe(true);
    expect(await hosted.removeTag(repository, "v2" as Tag)).toBe(false);
    expect(await tagsNow(repository)).toEqual(["latest", "v1"]);
    expect(await hosted.manifest(repository, digest("bb"))).toBeDefined();
  });

  test(`${kind}: of pushes of one immutable tag at the same time one is kept, whole`, async () => {
    const bytes = ["a1", "a2", "a3", "a4"];
    const put = await Promise.all(
      bytes.map((byte) => hosted.addManifest(repository, manifest(byte, { tags: [tag("v1", true)] }), 1)),
    );
    expect(put.map((outcome) => outcome.kind).toSorted()).toEqual(["added", "immutable", "immutable", "immutable"]);
    const winner = bytes[put.findIndex((outcome) => outcome.kind === "added")] ?? "";
    expect((await hosted.tagged(repository, "v1" as Tag))?.digest).toBe(digest(winner));
    const there = await Promise.all(bytes.map((byte) => hosted.manifest(repository, digest(byte))));
    expect(there.filter((row) => row !== undefined)).toHaveLength(1);
  });

  test(`${kind}: a manifest goes with its tags and what it refers to, in its own repository`, async () => {
    for (const at of [repository, other]) {
      const more = { tags: [tag("v1"), tag("v2")], refersTo: refersTo("bb", "x/y") };
      await hosted.addManifest(at, manifest("aa", more), 1);
    }
    const [v1, v2] = ["v1" as Tag, "v2" as Tag];
    // Another one was set since these were looked up.
    expect(await hosted.removeManifest(repository, digest("aa"), [v1])).toBe(false);
    expect(await tagsNow(repository)).toEqual([v1, v2]);
    expect(await hosted.removeManifest(repository, digest("aa"), [v1, v2])).toBe(true);
    expect(await hosted.removeManifest(repository, digest("aa"), [v1, v2])).toBe(false);
    const query = { subject: digest("bb"), artifactType: undefined, after: "", limit: 9 };
    expect([await tagsNow(repository), await hosted.referrers(repository, query)]).toEqual([[], []]);
    expect(await hosted.manifest(other, digest("aa"))).toBeDefined();
    expect(await tagsNow(other)).toEqual(["v1", "v2"]);
    expect(await hosted.referrers(other, query)).toHaveLength(1);
    await hosted.removeManifest(other, digest("aa"), [v1, v2]);
    expect(await content.manifest(digest("aa"))).toBeUndefined();
  });

  test(`${kind}: a manifest that the cache has too stays there, and the other way round`, async () => {
    const row = { digest: digest("aa"), mediaType, bytes: manifest("aa").bytes };
    await content.putManifest(place, row);
    await hosted.addManifest(repository, manifest("aa"), 1);
    await hosted.removeManifest(repository, digest("aa"), []);
    expect(await content.manifestAt(place, digest("aa"))).toEqual(row);
    await hosted.addManifest(repository, manifest("aa"), 1);
    await content.removeManifest(digest("aa"));
    expect(await content.manifestAt(place, digest("aa"))).toBeUndefined();
    expect(await hosted.manifest(repository, digest("aa"))).toEqual(row);
  });

  test(`${kind}: referrers are listed by digest, of a type, and a page at a time`, async () => {
    for (const [byte, type] of [
      ["01", "x/a"],
      ["02", "x/b"],
      ["03", "x/a"],
    ] as const)
      await hosted.addManifest(repository, manifest(byte, { refersTo: refersTo("bb", type) }), 1);
    await hosted.addManifest(other, manifest("04", { refersTo: refersTo("bb", "x/a") }), 1);
    const list = async (artifactType: string | undefined, after = "", limit = 9): Promise<readonly string[]> => {
      const found = await hosted.referrers(repository, { subject: digest("bb"), artifactType, after, limit });
      return found.map((referrer) => `${referrer.digest.slice(7, 9)} ${referrer.descriptor}`);
    };
    expect(await list(undefined)).toEqual([
      '01 {"artifactType":"x/a"}',
      '02 {"artifactType":"x/b"}',
      '03 {"artifactType":"x/a"}',
    ]);
    expect((await list("x/a")).map((line) => line.slice(0, 2))).toEqual(["01", "03"]);
    expect((await list(undefined, "", 2)).map((line) => line.slice(0, 2))).toEqual(["01", "02"]);
    expect((await list("x/a", digest("01"), 1)).map((line) => line.slice(0, 2))).toEqual(["03"]);
    expect(await list("x/c")).toEqual([]);
  });

  test(`${kind}: tags and repositories are listed in the order of their bytes, a page at a time`, async () => {
    const names = ["v1", "Zeta", "_x", "v10", "alpha"].map((name) => tag(name));
    await hosted.addManifest(repository, manifest("aa", { tags: names }), 1);
    expect(await tagsNow(repository)).toEqual(["Zeta", "_x", "alpha", "v1", "v10"]);
    expect(await hosted.tags(repository, "_x", 2)).toEqual(["alpha" as Tag, "v1" as Tag]);
    expect(await hosted.tags(other, "", 9)).toEqual([]);
    for (const name of ["b", "a-b", "a/b", "a"]) await addBlob(name as Repository, "01");
    const all = await hosted.repositories("", 9);
    expect(all.map(String)).toEqual(["a", "a-b", "a/b", "b", "team/app"]);
    expect((await hosted.repositories("a-b", 2)).map(String)).toEqual(["a/b", "b"]);
    expect([await hosted.has(repository), await hosted.has(other)]).toEqual([true, false]);
    await hosted.removeBlob("b" as Repository, digest("01"));
    expect([await hosted.has("b" as Repository), (await hosted.repositories("a/b", 9)).map(String)]).toEqual([
      false,
      ["team/app"],
    ]);
  });

  test(`${kind}: a blob is collected when nobody was promised it and no manifest of the repository names it`, async () => {
    for (const at of [repository, other]) await addBlob(at, "01", 10);
    await hosted.addManifest(repository, manifest("aa", { needs: blobs("01") }), 20);
    const collect = (at: Repository, beforeMs: number): Promise<boolean> =>
      hosted.collectBlob(at, digest("01"), beforeMs);
    // The manifest is none of the other repository's.
    expect(await collect(other, 10)).toBe(false);
    expect(await collect(other, 11)).toBe(true);
    expect(await collect(other, 11)).toBe(false);
    expect(await collect(repository, 99)).toBe(false);
    await hosted.removeManifest(repository, digest("aa"), []);
    // Its manifest had it promised anew.
    expect(await collect(repository, 20)).toBe(false);
    expect(await collect(repository, 21)).toBe(true);
    expect(await hosted.orphansAfter("", 9)).toEqual([digest("01")]);
  });

  test(`${kind}: what a manifest names without needing it is not collected either`, async () => {
    await addBlob(repository, "01");
    await hosted.addManifest(repository, manifest("aa", { parts: [digest("01")] }), 1);
    expect(await hosted.collectBlob(repository, digest("01"), 99)).toBe(false);
  });

  test(`${kind}: a blob is forgotten when nothing has it: no repository, and no place of the cache`, async () => {
    const row = { digest: digest("01"), sizeBytes: 10, ruleId: "r", pulledAtMs: 1 };
    for (const at of [repository, other]) await addBlob(at, "01");
    await content.putBlob(place, row);
    const forget = (): Promise<boolean> => hosted.forgetBlob(digest("01"));
    await hosted.removeBlob(repository, digest("01"));
    expect([await forget(), await hosted.orphansAfter("", 9)]).toEqual([false, []]);
    await hosted.removeBlob(other, digest("01"));
    expect([await forget(), await hosted.orphansAfter("", 9)]).toEqual([false, []]);
    await content.unlink(place, digest("01"));
    expect(await forget()).toBe(true);
    expect(await content.blob(digest("01"))).toBeUndefined();
    expect(await forget()).toBe(false);
  });

  test(`${kind}: the quota takes nothing that is ours, before or after the cache had it`, async () => {
    await content.putBlob(place, { digest: digest("01"), sizeBytes: 10, ruleId: "r", pulledAtMs: 1 });
    await addBlob(repository, "01");
    await addBlob(repository, "02");
    await content.putBlob(place, { digest: digest("03"), sizeBytes: 10, ruleId: "r", pulledAtMs: 1 });
    for (const rule of [undefined, "r"])
      expect((await content.oldest(rule, 99, 9)).map((row) => row.digest)).toEqual([digest("03")]);
    expect([await content.isHosted(digest("01")), await content.isHosted(digest("03"))]).toEqual([true, false]);
    await content.removeBlob(digest("01"));
    expect(await content.blobAt(place, digest("01"))).toBeUndefined();
    expect(await hosted.blob(repository, digest("01"))).toBeDefined();
  });

  test(`${kind}: what the cache pulls counts for its rule, although it was pushed before`, async () => {
    await addBlob(repository, "01");
    await content.putBlob(place, { digest: digest("01"), sizeBytes: 10, ruleId: "r", pulledAtMs: 2 });
    await hosted.removeBlob(repository, digest("01"));
    expect((await content.oldest("r", 99, 9)).map((row) => row.digest)).toEqual([digest("01")]);
    expect((await content.sizes()).get("r")).toBe(10);
  });

  test(`${kind}: walks go on after where they stopped, over blobs alone`, async () => {
    for (const at of [other, repository]) for (const byte of ["02", "01"]) await addBlob(at, byte, 3);
    await hosted.addManifest(repository, manifest("00"), 1);
    const first = await hosted.blobsAfter(undefined, 3);
    const key = (row: { readonly repository: Repository; readonly digest: Digest }): string =>
      `${row.repository} ${row.digest.slice(7, 9)}`;
    expect(first.map(key)).toEqual(["team/app 01", "team/app 02", "team/web 01"]);
    expect((await hosted.blobsAfter(first.at(-1), 3)).map(key)).toEqual(["team/web 02"]);
    for (const at of [other, repository]) for (const byte of ["02", "01"]) await hosted.removeBlob(at, digest(byte));
    const [orphan] = await hosted.orphansAfter("", 1);
    expect([orphan, await hosted.orphansAfter(orphan ?? "", 9)]).toEqual([digest("01"), [digest("02")]]);
  });

  test(`${kind}: what was acknowledged is there for who opens it again`, async () => {
    await addBlob(repository, "01", 7);
    await hosted.addManifest(repository, manifest("aa", { needs: blobs("01"), tags: [tag("v1")] }), 8);
    await content.close();
    ({ content, hosted } = make(folder));
    expect((await hosted.blob(repository, digest("01")))?.leasedAtMs).toBe(8);
    expect((await hosted.tagged(repository, "v1" as Tag))?.digest).toBe(digest("aa"));
  });
}
