/** The tables. Every change of shape needs a new `user_version` and a migration from the one before. */
export const schema = `
CREATE TABLE IF NOT EXISTS blobs (
  digest TEXT PRIMARY KEY, size INTEGER NOT NULL, rule TEXT NOT NULL, pulled_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS blobs_by_pull ON blobs (rule, pulled_at);
CREATE INDEX IF NOT EXISTS blobs_by_age ON blobs (pulled_at);
CREATE TABLE IF NOT EXISTS manifests (
  digest TEXT PRIMARY KEY, media_type TEXT NOT NULL, bytes BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS links (
  upstream TEXT NOT NULL, repository TEXT NOT NULL, digest TEXT NOT NULL,
  PRIMARY KEY (upstream, repository, digest)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS links_by_digest ON links (digest);
CREATE TABLE IF NOT EXISTS tags (
  upstream TEXT NOT NULL, repository TEXT NOT NULL, tag TEXT NOT NULL,
  digest TEXT NOT NULL, media_type TEXT, size INTEGER, checked_at INTEGER NOT NULL,
  PRIMARY KEY (upstream, repository, tag)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS tags_by_digest ON tags (digest);
CREATE TABLE IF NOT EXISTS pages (
  upstream TEXT NOT NULL, repository TEXT NOT NULL, key TEXT NOT NULL,
  bytes BLOB NOT NULL, media_type TEXT NOT NULL, next_query TEXT, filters_applied TEXT, checked_at INTEGER NOT NULL,
  PRIMARY KEY (upstream, repository, key)
);
`;

/** The version of `schema`, kept in `PRAGMA user_version`. */
export const schemaVersion = 1;

/** Every statement that writes, by name: the writer runs these and nothing else. */
export const writes = {
  putBlob: `INSERT INTO blobs (digest, size, rule, pulled_at) VALUES (?, ?, ?, ?)
    ON CONFLICT (digest) DO UPDATE SET pulled_at = excluded.pulled_at`,
  putManifest: "INSERT INTO manifests (digest, media_type, bytes) VALUES (?, ?, ?) ON CONFLICT (digest) DO NOTHING",
  link: "INSERT INTO links (upstream, repository, digest) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
  putTag: `INSERT INTO tags (upstream, repository, tag, digest, media_type, size, checked_at) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET digest = excluded.digest, media_type = excluded.media_type, size = excluded.size,
    checked_at = excluded.checked_at`,
  removeTag: "DELETE FROM tags WHERE upstream = ? AND repository = ? AND tag = ?",
  putPage: `INSERT INTO pages (upstream, repository, key, bytes, media_type, next_query, filters_applied, checked_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET bytes = excluded.bytes, media_type = excluded.media_type,
    next_query = excluded.next_query, filters_applied = excluded.filters_applied, checked_at = excluded.checked_at`,
  unlink: "DELETE FROM links WHERE upstream = ? AND repository = ? AND digest = ?",
  removeTagsAt: "DELETE FROM tags WHERE upstream = ? AND repository = ? AND digest = ?",
  removePage: "DELETE FROM pages WHERE upstream = ? AND repository = ? AND key = ?",
  removeBlob: "DELETE FROM blobs WHERE digest = ?",
  removeManifest: "DELETE FROM manifests WHERE digest = ?",
  removeLinks: "DELETE FROM links WHERE digest = ?",
  removeTagsOf: "DELETE FROM tags WHERE digest = ?",
  touch: "UPDATE blobs SET pulled_at = max(pulled_at, ?) WHERE digest = ?",
} as const;

/** The name of a statement that writes. */
export type WriteName = keyof typeof writes;

/** One write: a statement's name and its values in order. */
export type Write = readonly [WriteName, ...(string | number | Uint8Array<ArrayBuffer> | null)[]];

/** A batch sent to the writer; it is applied whole or not at all. */
export interface WriteRequest {
  readonly id: number;
  readonly writes: readonly Write[];
}

/** The writer's word on a batch. */
export interface WriteReply {
  readonly id: number;
  readonly error: string | undefined;
}
