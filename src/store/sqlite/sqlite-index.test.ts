import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestFrom } from "../../reference/digest.ts";
import type { RegistryHost } from "../../reference/host.ts";
import type { Repository, Tag } from "../../reference/repository.ts";
import { openSqliteIndexes } from "./sqlite-index.ts";
import { schema } from "./statements.ts";

/** Tables of version 1: those of the cache alone. */
const tablesOf1: ReadonlySet<string> = new Set(["blobs", "manifests", "links", "tags", "pages"]);

function makeVersion1(file: string): void {
  const database = new Database(file, { create: true });
  for (const statement of schema.split(";")) {
    const [, table = ""] = /(?:TABLE IF NOT EXISTS|INDEX IF NOT EXISTS \w+ ON) (\w+)/.exec(statement) ?? [];
    if (tablesOf1.has(table)) database.run(statement);
  }
  const digest = digestFrom("sha256", "01".repeat(32));
  database.run("INSERT INTO blobs (digest, size, rule, pulled_at) VALUES (?, 10, 'r', 5)", [digest]);
  database.run("INSERT INTO links (upstream, repository, digest) VALUES ('quay.io', 'a/b', ?)", [digest]);
  database.run("PRAGMA user_version = 1");
  database.close();
}

test("an index of version 1 keeps what it has, and takes repositories of our own", async () => {
  const folder = mkdtempSync(join(tmpdir(), "periplus-version1-"));
  const file = join(folder, "index.db");
  makeVersion1(file);
  const { content, hosted } = openSqliteIndexes(file);
  const digest = digestFrom("sha256", "01".repeat(32));
  const place = { upstream: "quay.io" as RegistryHost, repository: "a/b" as Repository };
  expect(await content.blobAt(place, digest)).toEqual({ digest, sizeBytes: 10, ruleId: "r", pulledAtMs: 5 });
  expect(await hosted.repositories("", 9)).toEqual([]);
  const repository = "team/app" as Repository;
  expect(await hosted.mountBlob(repository, digest, 6)).toBe(true);
  const manifest = { digest: digestFrom("sha256", "02".repeat(32)), mediaType: "x/y", bytes: new Uint8Array([1]) };
  const tags = [{ name: "v1" as Tag, isImmutable: false }];
  const more = { needs: [{ digest, as: "blob" as const }], parts: [digest], tags, refersTo: undefined };
  expect(await hosted.addManifest(repository, { ...manifest, ...more }, 7)).toEqual({ kind: "added" });
  expect(await hosted.tagged(repository, "v1" as Tag)).toEqual(manifest);
  await content.close();
  const database = new Database(file, { readonly: true });
  expect(database.query("PRAGMA user_version").get()).toEqual({ user_version: 2 });
  database.close();
  rmSync(folder, { recursive: true });
});
