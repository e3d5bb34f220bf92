import { Database } from "bun:sqlite";
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mediaTypes } from "../manifest/media-types.ts";
import { digestFrom } from "../reference/digest.ts";
import type { Tag } from "../reference/repository.ts";
import type { ContentIndex, Place } from "../store/content-index.ts";
import { openSqliteIndexes } from "../store/sqlite/sqlite-index.ts";
import { type PullIndex, tolerantIndex } from "./tolerant-index.ts";

const place = { upstream: "registry.test", repository: "a/b" } as Place;
const bytes = new TextEncoder().encode("{}");
const digest = digestFrom("sha256", new Bun.CryptoHasher("sha256").update(bytes).digest("hex"));
const tag = "1.0" as Tag;
const manifest = { digest, mediaType: mediaTypes.ociManifest, bytes };
const page = { bytes, mediaType: "application/json", nextQuery: undefined, filtersApplied: undefined, checkedAtMs: 1 };
const tagRow = { tag, digest, mediaType: mediaTypes.ociManifest, sizeBytes: 2, checkedAtMs: 1 };
const blob = { digest, sizeBytes: 2, ruleId: "rule", pulledAtMs: 1 };

let folder: string;
let file: string;
let index: ContentIndex;
let pulls: PullIndex;
let said: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "periplus-tolerant-"));
  file = join(folder, "index.db");
  index = openSqliteIndexes(file).content;
  said = [];
  pulls = tolerantIndex(index, (message) => said.push(message));
});

afterEach(async () => {
  await index.close();
  rmSync(folder, { recursive: true });
});

const writes: readonly (readonly [string, (at: PullIndex) => Promise<void>])[] = [
  ["putManifest", (at) => at.putManifest(place, manifest)],
  ["putTag", (at) => at.putTag(place, tagRow)],
  ["putPage", (at) => at.putPage(place, "tags?", page)],
  ["link", (at) => at.link(place, digest)],
  ["removeTag", (at) => at.removeTag(place, tag)],
];

const reads: readonly (readonly [string, (at: PullIndex) => Promise<unknown>])[] = [
  ["manifest", (at) => at.manifest(digest)],
  ["manifestAt", (at) => at.manifestAt(place, digest)],
  ["tag", (at) => at.tag(place, tag)],
  ["page", (at) => at.page(place, "tags?")],
  ["blob", (at) => at.blob(digest)],
  ["blobAt", (at) => at.blobAt(place, digest)],
];

/** Takes the tables away behind the index, so that whatever is asked of it fails. */
function breakIndex(): void {
  const other = new Database(file);
  for (const table of ["manifests", "tags", "pages", "links", "blobs"]) other.run(`DROP TABLE ${table}`);
  other.close();
}

test("what can be written is, and is read back", async () => {
  await Promise.all([pulls.putManifest(place, manifest), pulls.putPage(place, "tags?", page)]);
  await Promise.all([pulls.putTag(place, tagRow), pulls.putBlob(place, blob)]);
  for (const [name, read] of reads) expect([name, await read(pulls)]).toEqual([name, expect.anything()]);
  await pulls.removeTag(place, tag);
  expect(await pulls.tag(place, tag)).toBeUndefined();
  expect(said).toEqual([]);
});

test.each(writes)("%s that fails is told and not thrown", async (_, write) => {
  breakIndex();
  await write(pulls);
  expect(said).toEqual([expect.stringContaining("could not be written")]);
});

test.each(reads)("%s that fails is a miss, and told", async (_, read) => {
  breakIndex();
  expect(await read(pulls)).toBeUndefined();
  expect(said).toEqual([expect.stringContaining("could not be read")]);
});

test("a blob's row that cannot be written is thrown: its file has to go", async () => {
  breakIndex();
  const failed = await pulls.putBlob(place, blob).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failed).toMatchObject({ code: "STORAGE_FAILED" });
});
