import type { Database, SQLQueryBindings } from "bun:sqlite";
import type { Digest } from "../../reference/digest.ts";
import type { Repository, Tag } from "../../reference/repository.ts";
import type { ManifestRow } from "../content-index.ts";
import type {
  AddedManifest,
  HostedBlob,
  HostedIndex,
  HostedManifest,
  HostedMember,
  HostedUse,
  Referrer,
  ReferrerQuery,
} from "../hosted-index.ts";
import { type RawManifest, type RawMember, toHostedBlob, toHostedMember, toManifest } from "./rows.ts";
import type { Write } from "./statements.ts";
import type { WriteQueue } from "./write-queue.ts";

/** The next repository behind one, so that a list reads as many rows as it shows. */
const nextRepository = "SELECT min(repository) AS repository FROM members WHERE repository > ?";

/** A row of `members` without its digest. */
interface RawUse {
  readonly repository: Repository;
  readonly kind: "blob" | "manifest";
  readonly leased_at: number;
}

/** The write that proves each kind of need, and promises that what is needed stays. */
const leases = { blob: "leaseBlob", either: "leaseEither" } as const;

/** Our own repositories in SQLite. Reads on the caller's thread, in microseconds; writes through the queue, durably. */
export class SqliteHostedIndex implements HostedIndex {
  readonly #database: Database;
  readonly #queue: WriteQueue;

  constructor(database: Database, queue: WriteQueue) {
    this.#database = database;
    this.#queue = queue;
  }

  async blob(repository: Repository, digest: Digest): Promise<HostedBlob | undefined> {
    const sql = `SELECT b.digest, b.size, m.leased_at, m.repository FROM members m JOIN blobs b ON b.digest = m.digest
      WHERE m.repository = ? AND m.digest = ? AND m.kind = 'blob'`;
    const raw = this.#get<RawMember>(sql, [repository, digest]);
    return raw && toHostedBlob(raw);
  }

  async manifest(repository: Repository, digest: Digest): Promise<ManifestRow | undefined> {
    const sql = `SELECT c.digest, m.media_type, c.bytes FROM members m JOIN manifests c ON c.digest = m.digest
      WHERE m.repository = ? AND m.digest = ? AND m.kind = 'manifest'`;
    const raw = this.#get<RawManifest>(sql, [repository, digest]);
    return raw && toManifest(raw);
  }

  async tagged(repository: Repository, tag: Tag): Promise<ManifestRow | undefined> {
    const sql = `SELECT c.digest, m.media_type, c.bytes FROM own_tags t
      JOIN members m ON m.repository = t.repository AND m.digest = t.digest AND m.kind = 'manifest'
      JOIN manifests c ON c.digest = t.digest WHERE t.repository = ? AND t.tag = ?`;
    const raw = this.#get<RawManifest>(sql, [repository, tag]);
    return raw && toManifest(raw);
  }

  async tags(repository: Repository, after: string, limit: number): Promise<readonly Tag[]> {
    const sql = "SELECT tag FROM own_tags WHERE repository = ? AND tag > ? ORDER BY tag LIMIT ?";
    return this.#all<{ readonly tag: Tag }>(sql, [repository, after, limit]).map(({ tag }) => tag);
  }

  async tagsOf(repository: Repository, digest: Digest): Promise<readonly Tag[]> {
    const sql = "SELECT tag FROM own_tags WHERE repository = ? AND digest = ? ORDER BY tag";
    return this.#all<{ readonly tag: Tag }>(sql, [repository, digest]).map(({ tag }) => tag);
  }

  async repositories(after: string, limit: number): Promise<readonly Repository[]> {
    const found: Repository[] = [];
    let last = after;
    while (found.length < limit) {
      const name = this.#get<{ readonly repository: Repository | null }>(nextRepository, [last])?.repository;
      if (!name) break;
      found.push(name);
      last = name;
    }
    return found;
  }

  async has(repository: Repository): Promise<boolean> {
    return this.#get("SELECT 1 FROM members WHERE repository = ? LIMIT 1", [repository]) !== undefined;
  }

  async repositoriesWith(digest: Digest, limit: number): Promise<readonly Repository[]> {
    const sql = "SELECT repository FROM members WHERE digest = ? AND kind = 'blob' LIMIT ?";
    return this.#all<{ readonly repository: Repository }>(sql, [digest, limit]).map(({ repository }) => repository);
  }

  async referrers(repository: Repository, query: ReferrerQuery): Promise<readonly Referrer[]> {
    const { subject, artifactType = null, after, limit } = query;
    const sql = `SELECT digest, descriptor FROM referrers WHERE repository = ?1 AND subject = ?2 AND digest > ?3
      AND (?4 IS NULL OR artifact_type = ?4) ORDER BY digest LIMIT ?5`;
    return this.#all<Referrer>(sql, [repository, subject, after, artifactType, limit]);
  }

  async addBlob(repository: Repository, { digest, sizeBytes, leasedAtMs }: HostedBlob): Promise<void> {
    await this.#queue.runGuarded(
      [
        ["putBlob", digest, sizeBytes, "", leasedAtMs],
        ["addBlobMember", repository, digest, leasedAtMs],
      ],
      0,
    );
  }

  mountBlob(repository: Repository, digest: Digest, leasedAtMs: number): Promise<boolean> {
    return this.#change(["mountMember", repository, digest, leasedAtMs]);
  }

  lease(repository: Repository, digest: Digest, leasedAtMs: number): Promise<boolean> {
    return this.#change(["leaseBlob", leasedAtMs, repository, digest]);
  }

  async addManifest(repository: Repository, manifest: HostedManifest, atMs: number): Promise<AddedManifest> {
    const { digest, mediaType, bytes, needs, parts, tags, refersTo } = manifest;
    const immutable = tags.filter(({ isImmutable }) => isImmutable);
    const guards: readonly Write[] = [
      ...immutable.map(({ name }): Write => ["setTagOnce", repository, name, digest, atMs]),
      // What it needs is promised to it first: from then on no collection takes it away.
      ...needs.map((need): Write => [leases[need.as], atMs, repository, need.digest]),
    ];
    const writes: Write[] = [
      ["holdManifest", digest, mediaType, bytes],
      ["addManifestMember", repository, digest, mediaType, atMs],
      ...parts.map((part): Write => ["addPart", digest, part]),
    ];
    for (const { name, isImmutable } of tags) if (!isImmutable) writes.push(["setTag", repository, name, digest, atMs]);
    if (refersTo !== undefined)
      writes.push(["addReferrer", repository, refersTo.subject, digest, refersTo.artifactType, refersTo.descriptor]);
    const refusedAt = await this.#queue.runGuarded([...guards, ...writes], guards.length);
    if (refusedAt === undefined) return { kind: "added" };
    const tag = immutable[refusedAt];
    const missing = needs[refusedAt - immutable.length];
    if (tag !== undefined) return { kind: "immutable", tag: tag.name };
    return { kind: "missing", digest: missing?.digest ?? digest };
  }

  removeTag(repository: Repository, tag: Tag): Promise<boolean> {
    return this.#change(["removeOwnTag", repository, tag]);
  }

  removeManifest(repository: Repository, digest: Digest, tags: readonly Tag[]): Promise<boolean> {
    return this.#change(
      ["removeManifestMember", repository, digest, JSON.stringify(tags)],
      ["removeOwnTagsOf", repository, digest],
      ["forgetParts", digest],
      ["removeReferrer", repository, digest],
      ["forgetManifest", digest],
    );
  }

  removeBlob(repository: Repository, digest: Digest): Promise<boolean> {
    return this.#change(["removeBlobMember", repository, digest]);
  }

  async uses(digest: Digest, limit: number): Promise<readonly HostedUse[]> {
    const sql = "SELECT repository, kind, leased_at FROM members WHERE digest = ? ORDER BY repository LIMIT ?";
    const named = `SELECT p.parent FROM parts p JOIN members m ON m.digest = p.parent
      WHERE p.child = ? AND m.repository = ? AND m.kind = 'manifest' ORDER BY p.parent LIMIT ?`;
    const members = this.#all<RawUse>(sql, [digest, limit]);
    return Promise.all(
      members.map(async ({ repository, kind, leased_at: leasedAtMs }) => {
        const parents = this.#all<{ readonly parent: Digest }>(named, [digest, repository, limit]);
        const tags = await this.tagsOf(repository, digest);
        return { repository, kind, leasedAtMs, namedBy: parents.map(({ parent }) => parent), tags };
      }),
    );
  }

  async blobsAfter(cursor: HostedMember | undefined, limit: number): Promise<readonly HostedMember[]> {
    const sql = `SELECT b.digest, b.size, m.leased_at, m.repository FROM members m JOIN blobs b ON b.digest = m.digest
      WHERE m.kind = 'blob' AND (m.repository, m.digest) > (?, ?) ORDER BY m.repository, m.digest LIMIT ?`;
    return this.#all<RawMember>(sql, [cursor?.repository ?? "", cursor?.digest ?? "", limit]).map(toHostedMember);
  }

  collectBlob(repository: Repository, digest: Digest, leasedBeforeMs: number): Promise<boolean> {
    return this.#change(["collectMember", repository, digest, leasedBeforeMs]);
  }

  async orphansAfter(digest: string, limit: number): Promise<readonly Digest[]> {
    // Those that count against a rule's quota are the quota's.
    const sql = `SELECT digest FROM blobs WHERE digest > ? AND rule = ''
      AND NOT EXISTS (SELECT 1 FROM members WHERE members.digest = blobs.digest AND members.kind = 'blob')
      AND NOT EXISTS (SELECT 1 FROM links WHERE links.digest = blobs.digest) ORDER BY digest LIMIT ?`;
    return this.#all<{ readonly digest: Digest }>(sql, [digest, limit]).map((raw) => raw.digest);
  }

  forgetBlob(digest: Digest): Promise<boolean> {
    return this.#change(["forgetBlob", digest]);
  }

  /** Applies writes if the first changes something; whether it did. */
  async #change(first: Write, ...others: readonly Write[]): Promise<boolean> {
    return (await this.#queue.runGuarded([first, ...others], 1)) === undefined;
  }

  #get<Raw>(sql: string, values: SQLQueryBindings[]): Raw | undefined {
    return this.#database.query<Raw, SQLQueryBindings[]>(sql).get(...values) ?? undefined;
  }

  #all<Raw>(sql: string, values: SQLQueryBindings[]): readonly Raw[] {
    return this.#database.query<Raw, SQLQueryBindings[]>(sql).all(...values);
  }
}
