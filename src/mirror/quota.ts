import type { Digest } from "../reference/digest.ts";
import type { ContentStore } from "../store/content.ts";
import type { BlobRow, ContentIndex } from "../store/content-index.ts";

type HeldBlob = Pick<BlobRow, "digest" | "ruleId" | "sizeBytes">;
type QuotaContent = Pick<ContentStore, "alone" | "inUse" | "remove">;
type QuotaIndex = Pick<ContentIndex, "blob" | "isHosted" | "oldest" | "removeBlob" | "sizes" | "touch">;

/** A blob that was pulled or came within this time is in use or about to be: it is not evicted, as is none that is open. */
export const freshMs: number = 10 * 60_000;
const batch = 64;
/** How long it takes at most from the decision to send a file until it is open. */
const openMs = 1000;

/** Keeps each rule within its `maxSize`, and makes room when the disk is full: least recently pulled blobs go first. */
export class Quota {
  readonly #index: QuotaIndex;
  readonly #content: QuotaContent;
  readonly #nowMs: () => number;
  readonly #evicted: (count: number, sizeBytes: number) => void;
  /** Pulls that the index has not been told of yet. */
  #pulls = new Map<Digest, number>();
  #sizes: Promise<Map<string, number>> | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    index: QuotaIndex,
    content: QuotaContent,
    nowMs: () => number,
    evicted: (count: number, sizeBytes: number) => void,
  ) {
    this.#index = index;
    this.#content = content;
    this.#nowMs = nowMs;
    this.#evicted = evicted;
  }

  /** Notes that a blob is sent to somebody: until the index knows, it counts as fresh. */
  pulled(digest: Digest): void {
    this.#pulls.set(digest, this.#nowMs());
  }

  /** Writes the times of the pulls since the last call. */
  async flushPulls(): Promise<void> {
    const pulls = this.#pulls;
    if (pulls.size === 0) return;
    this.#pulls = new Map();
    await this.#index.touch(pulls);
  }

  /** Bytes held under a rule. */
  async heldBytes(ruleId: string): Promise<number> {
    return (await this.#held()).get(ruleId) ?? 0;
  }

  /** Evicts until `neededBytes` more fit under the rule; false when what is left is fresh. */
  async makeRoomFor(ruleId: string, neededBytes: number, maxBytes: number | undefined): Promise<boolean> {
    await this.#held();
    if (maxBytes === undefined) return true;
    return this.#inTurn(async () => {
      const excess = (await this.heldBytes(ruleId)) + neededBytes - maxBytes;
      return excess <= 0 || (neededBytes <= maxBytes && (await this.#evict(ruleId, excess)) >= excess);
    });
  }

  /** Evicts at least `neededBytes` of any rule, or as much as may go; true when anything went. */
  async makeRoomOnDisk(neededBytes: number): Promise<boolean> {
    return (await this.#inTurn(() => this.#evict(undefined, neededBytes))) > 0;
  }

  /** Counts a blob that came, for which room was made before. */
  async added(ruleId: string, sizeBytes: number): Promise<void> {
    const sizes = await this.#held();
    sizes.set(ruleId, (sizes.get(ruleId) ?? 0) + sizeBytes);
  }

  /** Takes one blob away. */
  remove(blob: HeldBlob): Promise<void> {
    return this.#inTurn(() => this.#remove([blob]));
  }

  /** One removal at a time: two that chose the same blobs would both count the room that is made once. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #evict(ruleId: string | undefined, wantedBytes: number): Promise<number> {
    let freedBytes = 0;
    while (freedBytes < wantedBytes) {
      const open = await this.#content.inUse();
      const oldest = await this.#index.oldest(ruleId, this.#nowMs() - freshMs, batch + open.size + this.#pulls.size);
      const idle = oldest.filter(({ digest }) => !open.has(digest) && !this.#pulls.has(digest));
      const going = firstOf(idle, wantedBytes - freedBytes);
      if (going.length === 0) break;
      await this.#remove(going);
      const sizeBytes = going.reduce((sum, blob) => sum + blob.sizeBytes, 0);
      freedBytes += sizeBytes;
      this.#evicted(going.length, sizeBytes);
    }
    return freedBytes;
  }

  /**
   * Rows go first: a request that decided before finds the file gone and treats it as a miss. A disk may be so full that
   * this cannot be written; then the files go first, which makes the room for it.
   */
  async #remove(chosen: readonly HeldBlob[]): Promise<void> {
    await this.#held();
    const left: Digest[] = [];
    for (const blob of chosen) {
      await this.#content.alone(blob.digest, async () => {
        if (!(await this.#removeOne(blob))) left.push(blob.digest);
      });
    }
    for (const digest of left) await this.#index.removeBlob(digest);
  }

  /** False when the row could not be removed. What one of our own repositories holds stays, with its row. */
  async #removeOne({ digest, ruleId, sizeBytes }: HeldBlob): Promise<boolean> {
    if ((await this.#index.blob(digest)) === undefined) return true;
    const isRowWritten = await this.#index.removeBlob(digest).then(
      () => true,
      () => false,
    );
    // Whether or not the row could be written: what is ours stays.
    if (await this.#index.isHosted(digest)) return true;
    // Who decided to send it before its row was gone is about to open the file.
    if (this.#pulls.has(digest)) await Bun.sleep(openMs);
    await this.#content.remove(digest);
    await this.added(ruleId, -sizeBytes);
    return isRowWritten;
  }

  /** Read once, before the first row is written or removed that is to be counted; again when it could not be read. */
  #held(): Promise<Map<string, number>> {
    this.#sizes ??= this.#index.sizes().then(
      (sizes) => new Map(sizes),
      (error: unknown) => {
        this.#sizes = undefined;
        throw error;
      },
    );
    return this.#sizes;
  }
}

/** As many of the first blobs as make up these bytes together, or all. */
function firstOf(blobs: readonly BlobRow[], wantedBytes: number): readonly BlobRow[] {
  let missingBytes = wantedBytes;
  return blobs.filter(({ sizeBytes }) => {
    const isWanted = missingBytes > 0;
    missingBytes -= sizeBytes;
    return isWanted;
  });
}
