import { Database, type SQLQueryBindings } from "bun:sqlite";
import { Failure } from "../../errors/failure.ts";
import type { Digest } from "../../reference/digest.ts";
import type { Tag } from "../../reference/repository.ts";
import type {
  BlobRow,
  ContentIndex,
  HeldPage,
  HeldTag,
  Link,
  ManifestRow,
  PageRow,
  Place,
  TagRow,
} from "../content-index.ts";
import {
  type RawBlob,
  type RawHeldPage,
  type RawLink,
  type RawManifest,
  type RawPage,
  type RawTag,
  toBlob,
  toHeldPage,
  toHeldTag,
  toLink,
  toManifest,
  toPage,
  toPlace,
  toTag,
} from "./rows.ts";
import { schema, schemaVersion } from "./statements.ts";
import type { HostedIndex } from "../hosted-index.ts";
import { SqliteHostedIndex } from "./sqlite-hosted.ts";
import { WriteQueue } from "./write-queue.ts";

const tagColumns = `t.upstream, t.repository, t.tag, t.digest, t.media_type, t.size, t.checked_at,
  EXISTS (SELECT 1 FROM manifests m WHERE m.digest = t.digest) AS held`;

const linkWalk = `SELECT l.upstream, l.repository, l.digest,
  EXISTS (SELECT 1 FROM blobs b WHERE b.digest = l.digest)
    OR EXISTS (SELECT 1 FROM manifests m WHERE m.digest = l.digest) AS held
  FROM links l WHERE (l.upstream, l.repository, l.digest) > (?, ?, ?)
  ORDER BY l.upstream, l.repository, l.digest LIMIT ?`;

/** What our own repositories hold is never evicted. */
const unowned = "NOT EXISTS (SELECT 1 FROM members WHERE members.digest = blobs.digest AND members.kind = 'blob')";

/** Pages of a large index that stay in memory: those of 1000 blobs asked for by turns among 100,000 are 7 MB. */
const cacheKiB = 8 * 1024;

/** Before every place. */
const nowhere = { upstream: "", repository: "" };

/** One database: what the cache holds, and our own repositories. Closing the first closes it. */
export interface SqliteIndexes {
  readonly content: ContentIndex;
  readonly hosted: HostedIndex;
}

/** Opens (and makes) the indexes at a path. Throws `STORAGE_FAILED` when it is not ours or was made by a newer version. */
export function openSqliteIndexes(file: string): SqliteIndexes {
  const database = new Database(file, { create: true });
  database.run("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000;");
  database.run(`PRAGMA cache_size = -${cacheKiB}`);
  const version = database.query<{ user_version: number }, []>("PRAGMA user_version").get()?.user_version ?? 0;
  if (version > schemaVersion) {
    database.close();
    throw new Failure({
      code: "STORAGE_FAILED",
      message: `${file} was written by a newer version (format ${version}, this one knows ${schemaVersion}); use that version or another storage folder`,
    });
  }
  database.run(schema);
  database.run(`PRAGMA user_version = ${schemaVersion}`);
  const queue = new WriteQueue(file);
  return { content: new SqliteIndex(database, queue), hosted: new SqliteHostedIndex(database, queue) };
}

/** Reads on the caller's thread, in microseconds; writes through the queue. */
class SqliteIndex implements ContentIndex {
  readonly #database: Database;
  readonly #queue: WriteQueue;

  constructor(database: Database, queue: WriteQueue) {
    this.#database = database;
    this.#queue = queue;
  }

  blobAt(place: Place, digest: Digest): Promise<BlobRow | undefined> {
    const sql =
      "SELECT b.* FROM links l JOIN blobs b ON b.digest = l.digest WHERE l.upstream = ? AND l.repository = ? AND l.digest = ?";
    return this.#one<RawBlob, BlobRow>(sql, [place.upstream, place.repository, digest], toBlob);
  }

  blob(digest: Digest): Promise<BlobRow | undefined> {
    return this.#one<RawBlob, BlobRow>("SELECT * FROM blobs WHERE digest = ?", [digest], toBlob);
  }

  async isHosted(digest: Digest): Promise<boolean> {
    const sql = "SELECT 1 FROM members WHERE digest = ? AND kind = 'blob' LIMIT 1";
    return this.#database.query(sql).get(digest) !== null;
  }

  manifestAt(place: Place, digest: Digest): Promise<ManifestRow | undefined> {
    const sql =
      "SELECT m.* FROM links l JOIN manifests m ON m.digest = l.digest WHERE l.upstream = ? AND l.repository = ? AND l.digest = ?";
    return this.#one<RawManifest, ManifestRow>(sql, [place.upstream, place.repository, digest], toManifest);
  }

  manifest(digest: Digest): Promise<ManifestRow | undefined> {
    return this.#one<RawManifest, ManifestRow>("SELECT * FROM manifests WHERE digest = ?", [digest], toManifest);
  }

  tag(place: Place, tag: Tag): Promise<TagRow | undefined> {
    const sql = `SELECT ${tagColumns} FROM tags t WHERE t.upstream = ? AND t.repository = ? AND t.tag = ?`;
    return this.#one<RawTag, TagRow>(sql, [place.upstream, place.repository, tag], toTag);
  }

  page(place: Place, key: string): Promise<PageRow | undefined> {
    const sql = "SELECT * FROM pages WHERE upstream = ? AND repository = ? AND key = ?";
    return this.#one<RawPage, PageRow>(sql, [place.upstream, place.repository, key], toPage);
  }

  putBlob({ upstream, repository }: Place, row: BlobRow): Promise<void> {
    return this.#queue.run([
      ["putBlob", row.digest, row.sizeBytes, row.ruleId, row.pulledAtMs],
      ["link", upstream, repository, row.digest],
    ]);
  }

  putManifest({ upstream, repository }: Place, row: ManifestRow): Promise<void> {
    return this.#queue.run([
      ["putManifest", row.digest, row.mediaType, row.bytes],
      ["link", upstream, repository, row.digest],
    ]);
  }

  link({ upstream, repository }: Place, digest: Digest): Promise<void> {
    return this.#queue.run([["link", upstream, repository, digest]]);
  }

  unlink({ upstream, repository }: Place, digest: Digest): Promise<void> {
    return this.#queue.run([
      ["unlink", upstream, repository, digest],
      ["removeTagsAt", upstream, repository, digest],
    ]);
  }

  putTag({ upstream, repository }: Place, row: TagRow): Promise<void> {
    const { tag, digest, mediaType, sizeBytes, checkedAtMs } = row;
    return this.#queue.run([
      ["putTag", upstream, repository, tag, digest, mediaType ?? null, sizeBytes ?? null, checkedAtMs],
    ]);
  }

  removeTag({ upstream, repository }: Place, tag: Tag): Promise<void> {
    return this.#queue.run([["removeTag", upstream, repository, tag]]);
  }

  putPage({ upstream, repository }: Place, key: string, row: PageRow): Promise<void> {
    const { bytes, mediaType, nextQuery, filtersApplied, checkedAtMs } = row;
    return this.#queue.run([
      ["putPage", upstream, repository, key, bytes, mediaType, nextQuery ?? null, filtersApplied ?? null, checkedAtMs],
    ]);
  }

  removePage({ upstream, repository }: Place, key: string): Promise<void> {
    return this.#queue.run([["removePage", upstream, repository, key]]);
  }

  removeBlob(digest: Digest): Promise<void> {
    return this.#queue.run([
      ["removeBlob", digest],
      ["removeLinks", digest],
    ]);
  }

  removeManifest(digest: Digest): Promise<void> {
    return this.#queue.run([
      ["removeManifest", digest],
      ["removeLinks", digest],
      ["removeTagsOf", digest],
    ]);
  }

  touch(pulls: ReadonlyMap<Digest, number>): Promise<void> {
    return this.#queue.run([...pulls].map(([digest, atMs]) => ["touch", atMs, digest] as const));
  }

  async sizes(): Promise<ReadonlyMap<string, number>> {
    const sql = "SELECT rule, sum(size) AS size FROM blobs GROUP BY rule";
    const rows = await this.#all<{ rule: string; size: number }, readonly [string, number]>(sql, [], (raw) => [
      raw.rule,
      raw.size,
    ]);
    return new Map(rows);
  }

  oldest(ruleId: string | undefined, beforeMs: number, limit: number): Promise<readonly BlobRow[]> {
    if (ruleId === undefined) {
      const sql = `SELECT * FROM blobs WHERE pulled_at < ? AND ${unowned} ORDER BY pulled_at LIMIT ?`;
      return this.#all(sql, [beforeMs, limit], toBlob);
    }
    const sql = `SELECT * FROM blobs WHERE rule = ? AND pulled_at < ? AND ${unowned} ORDER BY pulled_at LIMIT ?`;
    return this.#all(sql, [ruleId, beforeMs, limit], toBlob);
  }

  blobsAfter(digest: string, limit: number): Promise<readonly BlobRow[]> {
    return this.#all("SELECT * FROM blobs WHERE digest > ? ORDER BY digest LIMIT ?", [digest, limit], toBlob);
  }

  tagsAfter(
    cursor: { readonly place: Place; readonly tag: string } | undefined,
    limit: number,
  ): Promise<readonly HeldTag[]> {
    const sql = `SELECT ${tagColumns} FROM tags t WHERE (t.upstream, t.repository, t.tag) > (?, ?, ?)
      ORDER BY t.upstream, t.repository, t.tag LIMIT ?`;
    const { upstream, repository } = cursor?.place ?? nowhere;
    return this.#all(sql, [upstream, repository, cursor?.tag ?? "", limit], toHeldTag);
  }

  manifestsAfter(digest: string, limit: number): Promise<readonly ManifestRow[]> {
    const sql = "SELECT * FROM manifests WHERE digest > ? ORDER BY digest LIMIT ?";
    return this.#all<RawManifest, ManifestRow>(sql, [digest, limit], toManifest);
  }

  linksAfter(
    cursor: { readonly place: Place; readonly digest: string } | undefined,
    limit: number,
  ): Promise<readonly Link[]> {
    const { upstream, repository } = cursor?.place ?? nowhere;
    return this.#all<RawLink, Link>(linkWalk, [upstream, repository, cursor?.digest ?? "", limit], toLink);
  }

  pagesAfter(
    cursor: { readonly place: Place; readonly key: string } | undefined,
    limit: number,
  ): Promise<readonly HeldPage[]> {
    const sql = `SELECT upstream, repository, key, length(bytes) AS size, checked_at FROM pages
      WHERE (upstream, repository, key) > (?, ?, ?) ORDER BY upstream, repository, key LIMIT ?`;
    const { upstream, repository } = cursor?.place ?? nowhere;
    return this.#all<RawHeldPage, HeldPage>(sql, [upstream, repository, cursor?.key ?? "", limit], toHeldPage);
  }

  placesOf(digest: Digest): Promise<readonly Place[]> {
    const sql = "SELECT upstream, repository FROM links WHERE digest = ? ORDER BY upstream, repository";
    return this.#all(sql, [digest], toPlace);
  }

  tagsOf(digest: Digest): Promise<readonly HeldTag[]> {
    return this.#all(`SELECT ${tagColumns} FROM tags t WHERE t.digest = ?`, [digest], toHeldTag);
  }

  async counts(): Promise<{ readonly blobs: number; readonly manifests: number; readonly tags: number }> {
    const sql =
      "SELECT (SELECT count(*) FROM blobs) AS blobs, (SELECT count(*) FROM manifests) AS manifests, (SELECT count(*) FROM tags) AS tags";
    type Counts = { readonly blobs: number; readonly manifests: number; readonly tags: number };
    return (await this.#one<Counts, Counts>(sql, [], (raw) => raw)) ?? { blobs: 0, manifests: 0, tags: 0 };
  }

  async close(): Promise<void> {
    await this.#queue.close();
    this.#database.close();
  }

  async #one<Raw, Row>(sql: string, values: SQLQueryBindings[], convert: (raw: Raw) => Row): Promise<Row | undefined> {
    const raw = this.#database.query<Raw, SQLQueryBindings[]>(sql).get(...values);
    return raw === null ? undefined : convert(raw);
  }

  async #all<Raw, Row>(sql: string, values: SQLQueryBindings[], convert: (raw: Raw) => Row): Promise<readonly Row[]> {
    return this.#database
      .query<Raw, SQLQueryBindings[]>(sql)
      .all(...values)
      .map(convert);
  }
}
