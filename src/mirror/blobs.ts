import { asFailure, type Failure } from "../errors/failure.ts";
import type { Digest } from "../reference/digest.ts";
import type { RegistryHost } from "../reference/host.ts";
import type { Absent, Answer, BlobHead, BlobStream, RemoteRegistry, Unavailable } from "../registry/remote.ts";
import type { ContentStore, HeldContent } from "../store/content.ts";
import type { Draft } from "../store/draft.ts";
import type { BlobRow, Place } from "../store/content-index.ts";
import type { DownloadLimits } from "./download.ts";
import type { MirrorEvents } from "./events.ts";
import { ExpiringMap } from "./expiring.ts";
import { Fill } from "./fill.ts";
import type { FillKeeper } from "./fill-keeper.ts";
import { answerLimits, isSamePlace, type Origin, type Pull, placeKey, refusedAnswer, waits } from "./pull.ts";
import type { Quota } from "./quota.ts";
import type { PullIndex } from "./tolerant-index.ts";

/** What blobs are mirrored with. */
export interface BlobParts {
  readonly index: PullIndex;
  readonly content: ContentStore;
  readonly quota: Quota;
  readonly registryOf: (host: RegistryHost) => RemoteRegistry;
  readonly limits: DownloadLimits;
  readonly events: MirrorEvents;
  readonly nowMs: () => number;
}

/** A blob that is held, whole and verified. */
interface HeldBlob {
  readonly kind: "held";
  readonly content: HeldContent;
  readonly sizeBytes: number;
  readonly origin: Origin;
}

/** A blob that can be sent: a whole file, or a download that is still running. */
type OpenBlob = HeldBlob | { readonly kind: "filling"; readonly fill: Fill; readonly origin: Origin };

/** The answer to a pull of a blob. */
export type BlobOutcome = OpenBlob | Absent | Unavailable;

type Started = { readonly kind: "started"; readonly fill: Fill } | Absent | Unavailable;

/** A download that waits for its first answer, and the place that is asked. */
interface Starting {
  readonly place: Place;
  readonly started: Promise<Started>;
}

/** Blobs by digest: from the store, from a download that runs, or by beginning the one download. */
export class BlobMirror {
  readonly #parts: BlobParts;
  readonly #starting = new Map<Digest, Starting>();
  readonly #fills = new Map<Digest, Fill>();
  readonly #absences: ExpiringMap<Absent | Unavailable>;

  constructor(parts: BlobParts) {
    this.#parts = parts;
    this.#absences = new ExpiringMap(10_000, parts.nowMs);
  }

  /** Downloads that run now. */
  get runningFills(): number {
    return this.#fills.size;
  }

  /** True while a digest is on its way in, its row not yet written. */
  isFilling(digest: string): boolean {
    return this.#fills.has(digest as Digest);
  }

  async open(pull: Pull, digest: Digest): Promise<BlobOutcome> {
    const own = this.#running(pull, digest);
    if (own !== undefined) return { kind: "filling", fill: own, origin: "joined" };
    return (await this.#held(pull, digest)) ?? this.#fill(pull, digest);
  }

  /** The same for a blob that turned out not to be where it was held: as if it were not. */
  async openElsewhere(pull: Pull, digest: Digest, why: Absent | Unavailable): Promise<BlobOutcome> {
    const row = why.kind === "absent" ? await this.#parts.index.blobAt(pull.place, digest) : undefined;
    if (row !== undefined) await this.#parts.quota.remove(row);
    if (why.kind === "unavailable") this.#parts.events.notKept(why.message);
    return this.#fill(pull, digest);
  }

  /** What cannot be had from the store: from a download that runs, or by beginning one. */
  async #fill(pull: Pull, digest: Digest): Promise<BlobOutcome> {
    const known = this.#absences.get(placeKey(pull.place, digest));
    if (known !== undefined) return known;
    const running = this.#fills.get(digest);
    if (running !== undefined && running.failure === undefined) return this.#join(pull, running);
    const starting = this.#starting.get(digest);
    if (starting === undefined) return this.#begin(pull, digest);
    const started = await starting.started;
    if (started.kind === "started") return this.#join(pull, started.fill);
    // Another place's answer is none for this one: ask again, now that nothing is starting.
    return isSamePlace(starting.place, pull.place) ? started : this.open(pull, digest);
  }

  /** HEAD: the size of what is held or running, else the upstream's own answer. */
  async head(pull: Pull, digest: Digest): Promise<Answer<BlobHead & { readonly origin: Origin }>> {
    const own = this.#running(pull, digest);
    if (own?.sizeBytes !== undefined) return { kind: "found", sizeBytes: own.sizeBytes, origin: "joined" };
    const held = await this.#held(pull, digest);
    if (held?.kind === "held") return { kind: "found", sizeBytes: held.sizeBytes, origin: "hit" };
    const known = held ?? this.#absences.get(placeKey(pull.place, digest));
    if (known !== undefined) return known;
    const answer = await this.#ask(pull, digest);
    return answer.kind === "found" ? { ...answer, origin: "miss" } : answer;
  }

  /** Ends the downloads that run, and waits until what they leave is in its place. */
  async stop(): Promise<void> {
    const fills = [...this.#fills.values()];
    for (const fill of fills) fill.stop();
    await Promise.all(fills.map((fill) => fill.ended));
  }

  /** The download that brings a digest to this place now. */
  #running({ place }: Pull, digest: Digest): Fill | undefined {
    const fill = this.#fills.get(digest);
    return fill?.failure === undefined && fill?.isAt(place) ? fill : undefined;
  }

  async #held(pull: Pull, digest: Digest): Promise<HeldBlob | Absent | Unavailable | undefined> {
    const { index, content } = this.#parts;
    const row = (await index.blobAt(pull.place, digest)) ?? (await this.#heldElsewhere(pull, digest));
    if (row === undefined || "kind" in row) return row;
    const found = content.held(digest, row.sizeBytes);
    if (found === undefined) {
      // Evicted between decision and open, or lost: a miss, and the row goes too.
      await this.#parts.quota.remove(row);
      return undefined;
    }
    this.#parts.quota.pulled(digest);
    return { kind: "held", content: found, sizeBytes: row.sizeBytes, origin: "hit" };
  }

  /** A digest is no permission: what was seen at another place is served here once this upstream says it has it too. */
  async #heldElsewhere(pull: Pull, digest: Digest): Promise<BlobRow | Absent | Unavailable | undefined> {
    const row = await this.#parts.index.blob(digest);
    if (row === undefined) return undefined;
    const answer = this.#absences.get(placeKey(pull.place, digest)) ?? (await this.#ask(pull, digest));
    if (answer.kind !== "found") return answer;
    await this.#parts.index.link(pull.place, digest);
    return row;
  }

  async #join(pull: Pull, fill: Fill): Promise<BlobOutcome> {
    if (!fill.isAt(pull.place)) {
      const answer = await this.#ask(pull, fill.digest);
      if (answer.kind !== "found") return answer;
      // Seen here too: as long as it runs, and when it is held.
      fill.addPlace(pull.place);
      await this.#parts.index.link(pull.place, fill.digest);
      if (fill.failure !== undefined || this.#fills.get(fill.digest) !== fill) return this.open(pull, fill.digest);
    }
    return { kind: "filling", fill, origin: "joined" };
  }

  async #ask({ place }: Pull, digest: Digest): Promise<Answer<BlobHead>> {
    const answer = await this.#parts.registryOf(place.upstream).headBlob(place.repository, digest, answerLimits());
    if (answer.kind === "absent") this.#absences.set(placeKey(place, digest), answer, waits.absenceMs);
    return answer;
  }

  async #begin(pull: Pull, digest: Digest): Promise<BlobOutcome> {
    const starting = this.#start(pull, digest);
    this.#starting.set(digest, { place: pull.place, started: starting });
    const started = await starting.finally(() => this.#starting.delete(digest));
    if (started.kind === "started") return { kind: "filling", fill: started.fill, origin: "miss" };
    if (started.kind === "absent") this.#absences.set(placeKey(pull.place, digest), started, waits.absenceMs);
    return started;
  }

  async #start(pull: Pull, digest: Digest): Promise<Started> {
    const { place } = pull;
    const { registryOf, limits, events } = this.#parts;
    const stop = new AbortController();
    const registry = registryOf(place.upstream);
    const whole = { startByte: 0, endByte: undefined };
    const first = await registry.getBlob(place.repository, digest, whole, {
      signal: stop.signal,
      timeoutMs: limits.headersMs,
    });
    if (first.kind !== "found") return first;
    const draft = await this.#draft(pull, digest, first.sizeBytes);
    const fill = new Fill(
      { registry, place, digest, limits, stop },
      first.sizeBytes,
      draft,
      this.#keeper(pull, digest),
    );
    this.#fills.set(digest, fill);
    events.fillStarted(place.upstream);
    void this.#run(fill, first);
    return { kind: "started", fill };
  }

  async #run(fill: Fill, first: BlobStream): Promise<void> {
    const { events } = this.#parts;
    const { place, stop } = fill.source;
    await fill.run(first);
    // After a failure another one may have begun already.
    if (this.#fills.get(fill.digest) === fill) this.#fills.delete(fill.digest);
    events.fillEnded(place.upstream, fill.headBytes);
    const isTold = stop.signal.aborted || fill.failure?.code === "UPSTREAM_WRONG_BYTES";
    if (fill.failure !== undefined && !isTold) events.brokenOff(place.upstream, fill.failure.message);
    await fill.finish();
  }

  /** A file to fill, or `undefined` when the rule's quota or the disk has no room: the pull goes on without. */
  async #draft({ rule }: Pull, digest: Digest, sizeBytes: number | undefined): Promise<Draft | undefined> {
    const { content, quota, events } = this.#parts;
    try {
      if (!(await quota.makeRoomFor(rule.id, sizeBytes ?? 0, rule.maxSizeBytes))) {
        events.notKept(`${digest} does not fit into the maxSize of rule ${rule.id} beside what is fresh`);
        return undefined;
      }
      return await content.begin(digest);
    } catch (error) {
      events.notKept(asFailure(error, "STORAGE_FAILED", `${digest} is served without being kept`).message);
      return undefined;
    }
  }

  #keeper({ place, rule }: Pull, digest: Digest): FillKeeper {
    const { index, content, quota, events, nowMs } = this.#parts;
    return {
      makeRoom: (neededBytes) => quota.makeRoomOnDisk(neededBytes),
      keep: async (draft, sizeBytes) => {
        await content.alone(digest, async () => {
          await content.publish(draft, digest);
          await index.putBlob(place, { digest, sizeBytes, ruleId: rule.id, pulledAtMs: nowMs() });
        });
        await quota.added(rule.id, sizeBytes);
        await quota.makeRoomFor(rule.id, 0, rule.maxSizeBytes);
      },
      wrongBytes: (message) => {
        this.#absences.set(placeKey(place, digest), refusedAnswer(message), waits.wrongBytesMs);
        events.wrongBytes(place.upstream, message);
      },
      notKept: (failure: Failure) => events.notKept(failure.message),
    };
  }
}
