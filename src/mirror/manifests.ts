import { parseDigest, type Digest } from "../reference/digest.ts";
import type { RegistryHost } from "../reference/host.ts";
import type { Tag } from "../reference/repository.ts";
import type { Absent, Answer, ManifestHead, RemoteRegistry, Unavailable } from "../registry/remote.ts";
import type { ManifestRow, TagRow } from "../store/content-index.ts";
import { ExpiringMap } from "./expiring.ts";
import {
  answerLimits,
  type FoundManifest,
  type FoundManifestHead,
  type ManifestOutcome,
  type Origin,
  inTime,
  type Pull,
  placeKey,
  waits,
} from "./pull.ts";
import { SingleFlight } from "./single-flight.ts";
import type { PullIndex } from "./tolerant-index.ts";

/** What manifests are mirrored with. */
export interface ManifestParts {
  readonly index: PullIndex;
  readonly registryOf: (host: RegistryHost) => RemoteRegistry;
  readonly nowMs: () => number;
  /** Resolves after a time; given so that tests need not wait. */
  readonly after: (ms: number) => Promise<undefined>;
}

/** A manifest as it was last served: by digest for good, by tag while the tag is fresh. */
interface Recent {
  readonly row: ManifestRow;
  readonly checkedAtMs: number | undefined;
}

/** What is in memory is asked for again after this long: it may have been removed elsewhere. */
const recentMs = 60_000;
const recentMaxBytes = 8 * 1024 * 1024;
const recentOverheadBytes = 1024;

interface Held {
  readonly kind: "held";
  readonly row: ManifestRow;
}
type Checked = { readonly kind: "checked"; readonly row: TagRow } | Absent | Unavailable;
type Fetched = { readonly kind: "fetched"; readonly row: ManifestRow } | Absent | Unavailable;

/**
 * Manifests by tag and by digest. A digest never expires. A tag is checked by HEAD once it is older than its rule's
 * `freshFor`; only 200 and 404 are knowledge, and without knowledge what is held is served up to `serveStaleFor` more.
 */
export class ManifestMirror {
  readonly #parts: ManifestParts;
  readonly #checks = new SingleFlight<Checked>();
  readonly #fetches = new SingleFlight<Fetched>();
  readonly #absences: ExpiringMap<Absent>;
  readonly #recent: ExpiringMap<Recent>;

  constructor(parts: ManifestParts) {
    this.#parts = parts;
    this.#absences = new ExpiringMap(10_000, parts.nowMs);
    this.#recent = new ExpiringMap(
      recentMaxBytes,
      parts.nowMs,
      ({ row }) => row.bytes.byteLength + recentOverheadBytes,
    );
  }

  /** A manifest that was served here within the last minute and is still fresh, at once; else `undefined`. */
  recent(pull: Pull, reference: Tag | Digest): FoundManifest | undefined {
    const recent = this.#recent.get(placeKey(pull.place, reference));
    if (recent === undefined) return undefined;
    return found(recent.row, "hit", recent.checkedAtMs && this.#parts.nowMs() - recent.checkedAtMs);
  }

  /** Forgets what is in memory, for when what is held was changed behind this mirror. */
  forget(): void {
    this.#recent.clear();
    this.#absences.clear();
  }

  async byDigest(pull: Pull, digest: Digest): Promise<ManifestOutcome> {
    const held = await this.#held(pull, digest);
    if (held?.kind === "held") {
      this.#recent.set(placeKey(pull.place, digest), { row: held.row, checkedAtMs: undefined }, recentMs);
      return found(held.row, "hit");
    }
    if (held !== undefined) return held;
    const fetched = await this.#fetch(pull, digest);
    return fetched.kind === "fetched" ? found(fetched.row, "miss") : fetched;
  }

  async headByDigest(pull: Pull, digest: Digest): Promise<ManifestOutcome | FoundManifestHead> {
    const held = await this.#held(pull, digest);
    if (held?.kind === "held") return found(held.row, "hit");
    return held ?? this.#headUpstream(pull, digest);
  }

  async byTag(pull: Pull, tag: Tag): Promise<ManifestOutcome> {
    const row = await this.#parts.index.tag(pull.place, tag);
    const held = row && (await this.#parts.index.manifestAt(pull.place, row.digest));
    if (row === undefined || held === undefined) return this.#fetchTag(pull, tag);
    return this.#fresh(pull, row, held);
  }

  /** HEAD of a tag. What it learns is kept, so that a pull by digest after it leaves a tag that can be served later. */
  async headByTag(pull: Pull, tag: Tag): Promise<ManifestOutcome | FoundManifestHead> {
    const row = await this.#parts.index.tag(pull.place, tag);
    const held = row && (await this.#parts.index.manifestAt(pull.place, row.digest));
    if (row !== undefined && held !== undefined) return this.#fresh(pull, row, held);
    const head = await this.#headUpstream(pull, tag);
    if (head.kind === "head") {
      const { digest, mediaType, sizeBytes } = head;
      await this.#parts.index.putTag(pull.place, {
        tag,
        digest,
        mediaType,
        sizeBytes,
        checkedAtMs: this.#parts.nowMs(),
      });
    }
    return head;
  }

  /** Checks a tag with its upstream now, whatever its age, and fetches what it became. */
  async refresh(pull: Pull, tag: Tag): Promise<ManifestOutcome> {
    this.#absences.delete(placeKey(pull.place, tag));
    const row = await this.#parts.index.tag(pull.place, tag);
    const held = row && (await this.#parts.index.manifestAt(pull.place, row.digest));
    if (row === undefined || held === undefined) return this.#fetchTag(pull, tag);
    const checked = await this.#check(pull, row);
    return checked.kind === "checked" ? this.#afterCheck(pull, row, checked.row) : checked;
  }

  async #fresh(pull: Pull, row: TagRow, held: ManifestRow): Promise<ManifestOutcome> {
    const ageMs = this.#parts.nowMs() - row.checkedAtMs;
    if (ageMs < pull.rule.freshForMs) {
      const forMs = Math.min(recentMs, pull.rule.freshForMs - ageMs);
      this.#recent.set(placeKey(pull.place, row.tag), { row: held, checkedAtMs: row.checkedAtMs }, forMs);
      return found(held, "hit", ageMs);
    }
    const check = this.#check(pull, row);
    const boxed = await Promise.race([check, this.#parts.after(waits.freshnessMs)]);
    if (boxed?.kind === "checked") return this.#afterCheck(pull, row, boxed.row);
    if (boxed?.kind === "absent") return boxed;
    const isServable = ageMs < pull.rule.freshForMs + pull.rule.serveStaleForMs;
    if (isServable) return { ...found(held, "stale", ageMs), warning: staleWarning(pull, boxed) };
    const late = await inTime(pull, check, this.#parts.after(waits.answerMs - waits.freshnessMs));
    return late.kind === "checked" ? this.#afterCheck(pull, row, late.row) : late;
  }

  async #afterCheck(pull: Pull, before: TagRow, now: TagRow): Promise<ManifestOutcome> {
    const held = await this.#parts.index.manifestAt(pull.place, now.digest);
    if (held === undefined) return this.byDigest(pull, now.digest);
    return found(held, now.digest === before.digest ? "revalidated" : "miss", 0);
  }

  /** One check at a time per tag. It goes on when nobody waits any more, and moves the tag only once its manifest is held. */
  #check(pull: Pull, row: TagRow): Promise<Checked> {
    const { index, nowMs } = this.#parts;
    const key = placeKey(pull.place, row.tag);
    return this.#checks.run(key, async () => {
      this.#recent.delete(key);
      const head = await this.#head(pull, row.tag);
      if (head.kind === "absent") {
        await index.removeTag(pull.place, row.tag);
        this.#absences.set(key, head, waits.absenceMs);
      }
      if (head.kind !== "found") return head;
      if (head.digest === row.digest) {
        const same = { ...row, checkedAtMs: nowMs() };
        await index.putTag(pull.place, same);
        return { kind: "checked", row: same };
      }
      const fetched = await this.#fetch(pull, head.digest ?? row.tag);
      if (fetched.kind !== "fetched") return fetched.kind === "absent" ? movedAway(pull, row) : fetched;
      const moved = tagRow(row.tag, fetched.row, nowMs());
      await index.putTag(pull.place, moved);
      return { kind: "checked", row: moved };
    });
  }

  async #fetchTag(pull: Pull, tag: Tag): Promise<ManifestOutcome> {
    const fetched = await this.#fetch(pull, tag);
    return fetched.kind === "fetched" ? found(fetched.row, "miss", 0) : fetched;
  }

  /** Fetches a manifest once for all who ask, and keeps it with its place and, when asked by tag, its tag. */
  #fetch(pull: Pull, reference: Tag | Digest): Promise<Fetched> {
    const { place } = pull;
    const key = placeKey(place, reference);
    const absent = this.#absences.get(key);
    if (absent !== undefined) return Promise.resolve(absent);
    return this.#fetches.run(key, async () => {
      const { index, nowMs } = this.#parts;
      const answer = await this.#registry(pull).getManifest(place.repository, reference, answerLimits());
      if (answer.kind === "absent") this.#absences.set(key, answer, waits.absenceMs);
      if (answer.kind !== "found") return answer;
      const row = { digest: answer.digest, mediaType: answer.mediaType, bytes: answer.bytes };
      // Together: the writer applies them in this order, and who waits for both waits for one transaction.
      const isByTag = parseDigest(reference) === undefined;
      const kept = index.putManifest(place, row);
      await Promise.all([kept, isByTag && index.putTag(place, tagRow(reference as Tag, row, nowMs()))]);
      return { kind: "fetched", row };
    });
  }

  /** Held and seen here; or held, and the upstream says that it has it here too, or has not, or gives no word. */
  async #held(pull: Pull, digest: Digest): Promise<Held | Absent | Unavailable | undefined> {
    const here = await this.#parts.index.manifestAt(pull.place, digest);
    if (here !== undefined) return { kind: "held", row: here };
    const elsewhere = await this.#parts.index.manifest(digest);
    if (elsewhere === undefined) return undefined;
    const head = await this.#headUpstream(pull, digest);
    if (head.kind !== "head" && head.kind !== "found") return head;
    await this.#parts.index.link(pull.place, digest);
    return { kind: "held", row: elsewhere };
  }

  async #headUpstream(pull: Pull, reference: Tag | Digest): Promise<ManifestOutcome | FoundManifestHead> {
    const key = placeKey(pull.place, reference);
    const known = this.#absences.get(key);
    if (known !== undefined) return known;
    const { nowMs, after } = this.#parts;
    const askedAtMs = nowMs();
    const head = await this.#head(pull, reference);
    if (head.kind === "absent") this.#absences.set(key, head, waits.absenceMs);
    if (head.kind !== "found") return head;
    const digest = head.digest ?? parseDigest(reference);
    if (digest !== undefined) return { kind: "head", digest, mediaType: head.mediaType, sizeBytes: head.sizeBytes };
    const leftMs = waits.answerMs - (nowMs() - askedAtMs);
    const fetched = await inTime(pull, this.#fetch(pull, reference), after(leftMs));
    return fetched.kind === "fetched" ? found(fetched.row, "miss", 0) : fetched;
  }

  #head({ place }: Pull, reference: Tag | Digest): Promise<Answer<ManifestHead>> {
    return this.#parts.registryOf(place.upstream).headManifest(place.repository, reference, answerLimits());
  }

  #registry({ place }: Pull): RemoteRegistry {
    return this.#parts.registryOf(place.upstream);
  }
}

function found(row: ManifestRow, origin: Origin, ageMs?: number): FoundManifest {
  return { kind: "found", row, origin, ageMs, warning: undefined };
}

function tagRow(tag: Tag, { digest, mediaType, bytes }: ManifestRow, checkedAtMs: number): TagRow {
  return { tag, digest, mediaType, sizeBytes: bytes.byteLength, checkedAtMs };
}

function staleWarning({ place }: Pull, unavailable: Unavailable | undefined): string {
  const reason = unavailable?.message ?? `${place.upstream} did not answer within ${waits.freshnessMs} ms`;
  return `stale: ${reason}`;
}

function movedAway({ place }: Pull, { tag }: TagRow): Unavailable {
  const message = `${place.upstream} says that ${place.repository}:${tag} has changed, and that it has not what it became`;
  return { kind: "unavailable", reason: "failed", status: 404, message, retryAfterMs: undefined };
}
