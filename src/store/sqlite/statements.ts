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
CREATE TABLE IF NOT EXISTS members (
  repository TEXT NOT NULL, digest TEXT NOT NULL, kind TEXT NOT NULL, media_type TEXT, leased_at INTEGER NOT NULL,
  PRIMARY KEY (repository, digest, kind)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS members_by_digest ON members (digest);
CREATE TABLE IF NOT EXISTS own_tags (
  repository TEXT NOT NULL, tag TEXT NOT NULL, digest TEXT NOT NULL, set_at INTEGER NOT NULL,
  PRIMARY KEY (repository, tag)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS own_tags_by_digest ON own_tags (repository, digest);
CREATE TABLE IF NOT EXISTS parts (
  parent TEXT NOT NULL, child TEXT NOT NULL, PRIMARY KEY (parent, child)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS parts_by_child ON parts (child);
CREATE TABLE IF NOT EXISTS referrers (
  repository TEXT NOT NULL, subject TEXT NOT NULL, digest TEXT NOT NULL,
  artifact_type TEXT NOT NULL, descriptor TEXT NOT NULL,
  PRIMARY KEY (repository, subject, digest)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS referrers_by_digest ON referrers (repository, digest);
`;

/** The version of `schema`, kept in `PRAGMA user_version`. 2 has the tables of our own repositories; 1 has the others. */
export const schemaVersion = 2;

/** Every statement that writes, by name: the writer runs these and nothing else. */
export const writes = {
  putBlob: `INSERT INTO blobs (digest, size, rule, pulled_at) VALUES (?, ?, ?, ?)
    ON CONFLICT (digest) DO UPDATE SET pulled_at = excluded.pulled_at,
    rule = CASE WHEN rule = '' THEN excluded.rule ELSE rule END`,
  putManifest: `INSERT INTO manifests (digest, media_type, bytes) VALUES (?, ?, ?)
    ON CONFLICT (digest) DO UPDATE SET media_type = excluded.media_type WHERE media_type <> excluded.media_type`,
  holdManifest: "INSERT INTO manifests (digest, media_type, bytes) VALUES (?, ?, ?) ON CONFLICT (digest) DO NOTHING",
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
  removeBlob: `DELETE FROM blobs WHERE digest = ?1 AND NOT EXISTS
      (SELECT 1 FROM members WHERE members.digest = ?1 AND members.kind = 'blob')`,
  removeManifest: `DELETE FROM manifests WHERE digest = ?1 AND NOT EXISTS
      (SELECT 1 FROM members WHERE members.digest = ?1 AND members.kind = 'manifest')`,
  removeLinks: "DELETE FROM links WHERE digest = ?",
  removeTagsOf: "DELETE FROM tags WHERE digest = ?",
  touch: "UPDATE blobs SET pulled_at = max(pulled_at, ?) WHERE digest = ?",
  addBlobMember: `INSERT INTO members (repository, digest, kind, leased_at) VALUES (?, ?, 'blob', ?)
    ON CONFLICT DO UPDATE SET leased_at = max(leased_at, excluded.leased_at)`,
  addManifestMember: `INSERT INTO members (repository, digest, kind, media_type, leased_at) VALUES (?, ?, 'manifest', ?, ?)
    ON CONFLICT DO UPDATE SET media_type = excluded.media_type, leased_at = max(leased_at, excluded.leased_at)`,
  mountMember: `INSERT INTO members (repository, digest, kind, leased_at)
    SELECT ?1, digest, 'blob', ?3 FROM blobs WHERE digest = ?2
    ON CONFLICT DO UPDATE SET leased_at = max(leased_at, excluded.leased_at)`,
  leaseBlob: "UPDATE members SET leased_at = max(leased_at, ?) WHERE repository = ? AND digest = ? AND kind = 'blob'",
  leaseEither: "UPDATE members SET leased_at = max(leased_at, ?) WHERE repository = ? AND digest = ?",
  addPart: "INSERT INTO parts (parent, child) VALUES (?, ?) ON CONFLICT DO NOTHING",
  addReferrer: `INSERT INTO referrers (repository, subject, digest, artifact_type, descriptor) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET descriptor = excluded.descriptor`,
  setTag: `INSERT INTO own_tags (repository, tag, digest, set_at) VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET digest = excluded.digest, set_at = excluded.set_at`,
  setTagOnce: `INSERT INTO own_tags (repository, tag, digest, set_at) VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET set_at = set_at WHERE digest = excluded.digest`,
  removeOwnTag: "DELETE FROM own_tags WHERE repository = ? AND tag = ?",
  removeOwnTagsOf: "DELETE FROM own_tags WHERE repository = ? AND digest = ?",
  removeBlobMember: "DELETE FROM members WHERE repository = ? AND digest = ? AND kind = 'blob'",
  removeManifestMember: `DELETE FROM members WHERE repository = ?1 AND digest = ?2 AND kind = 'manifest' AND NOT EXISTS
      (SELECT 1 FROM own_tags WHERE repository = ?1 AND digest = ?2 AND tag NOT IN (SELECT value FROM json_each(?3)))`,
  collectMember: `DELETE FROM members WHERE repository = ?1 AND digest = ?2 AND kind = 'blob' AND leased_at < ?3
    AND NOT EXISTS (SELECT 1 FROM parts JOIN members holders ON holders.digest = parts.parent
      WHERE parts.child = ?2 AND holders.repository = ?1 AND holders.kind = 'manifest')`,
  forgetBlob: `DELETE FROM blobs WHERE digest = ?1 AND NOT EXISTS
      (SELECT 1 FROM members WHERE members.digest = ?1 AND members.kind = 'blob')
    AND NOT EXISTS (SELECT 1 FROM links WHERE links.digest = ?1)`,
  forgetManifest: `DELETE FROM manifests WHERE digest = ?1 AND NOT EXISTS
      (SELECT 1 FROM members WHERE members.digest = ?1 AND members.kind = 'manifest')
    AND NOT EXISTS (SELECT 1 FROM links WHERE links.digest = ?1)`,
  forgetParts: `DELETE FROM parts WHERE parent = ?1 AND NOT EXISTS
      (SELECT 1 FROM members WHERE members.digest = ?1 AND members.kind = 'manifest')`,
  removeReferrer: "DELETE FROM referrers WHERE repository = ? AND digest = ?",
} as const;

/** The name of a statement that writes. */
export type WriteName = keyof typeof writes;

/** One write: a statement's name and its values in order. */
export type Write = readonly [WriteName, ...(string | number | Uint8Array<ArrayBuffer> | null)[]];

/** How a batch is written. */
export interface WriteOptions {
  /** The first so many writes have to change something; where one does not, none of the batch is applied. */
  readonly guards?: number;
  /** On the disk before it is acknowledged. */
  readonly isDurable?: boolean;
}

/** A batch sent to the writer; it is applied whole or not at all. */
export interface WriteRequest extends WriteOptions {
  readonly id: number;
  readonly writes: readonly Write[];
}

/** The writer's word on a batch: done, or an error, or the place of the guard that refused it. */
export interface WriteReply {
  readonly id: number;
  readonly error: string | undefined;
  readonly refusedAt: number | undefined;
}
