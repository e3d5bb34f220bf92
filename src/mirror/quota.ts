import type { Digest } from "../reference/digest.ts";
import type { ContentStore } from "../store/content.ts";
import type { ContentIndex } from "../store/content-index.ts";

type QuotaIndex = Pick<ContentIndex, "oldest" | "removeBlob" | "sizes">;

/** A blob that was pulled or came within this time is in use or about to be: it is never evicted. */
export const freshMs: number = 10 * 60_000;
const batch = 64;

/** Keeps each rule within its `maxSize`, and makes room when the disk is full: least recently pulled blobs go first. */
export class Quota {
  readonly #index: QuotaIndex;
  readonly #content: Pick<ContentStore, "remove">;
  readonly #nowMs: () => number;
  readonly #evicted: (count: number, sizeBytes: number) => void;
  #sizes: Map<string, number> | undefined;

  constructor(
    index: QuotaIndex,
    content: Pick<ContentStore, "remove">,
    nowMs: () => number,
    evicted: (count: number, sizeBytes: number) => void,
  ) {
    this.#index = index;
    this.#content = content;
    this.#nowMs = nowMs;
    this.#evicted = evicted;
  }

  /** Bytes held under a rule. */
  async heldBytes(ruleId: string): Promise<number> {
    return (await this.#held()).get(ruleId) ?? 0;
  }

  /** Evicts until `neededBytes` more fit under the rule; false when what is left is fresh. */
  async makeRoomFor(ruleId: string, neededBytes: number, maxBytes: number | undefined): Promise<boolean> {
    if (maxBytes === undefined) return true;
    const excess = (await this.heldBytes(ruleId)) + neededBytes - maxBytes;
    return excess <= 0 || (neededBytes <= maxBytes && (await this.#evict(ruleId, excess)) >= excess);
  }

  /** Evicts at least `neededBytes` of any rule, or as much as may go; true when anything went. */
  async makeRoomOnDisk(neededBytes: number): Promise<boolean> {
    return (await this.#evict(undefined, neededBytes)) > 0;
  }

  /** Counts a blob that came. */
  async added(ruleId: string, sizeBytes: number): Promise<void> {
    const sizes = await this.#held();
    sizes.set(ruleId, (sizes.get(ruleId) ?? 0) + sizeBytes);
  }

  /**
   * Takes one blob away, row first: a request that decided before finds the file gone and treats it as a miss. A disk may
   * be so full that the row cannot be written away; then the file goes first, and makes the room for that.
   */
  async remove(blob: { readonly digest: Digest; readonly ruleId: string; readonly sizeBytes: number }): Promise<void> {
    const { digest, ruleId, sizeBytes } = blob;
    const isRowGone = await this.#index.removeBlob(digest).then(
      () => true,
      () => false,
    );
    await this.#content.remove(digest);
    if (!isRowGone) await this.#index.removeBlob(digest);
    await this.added(ruleId, -sizeBytes);
  }

  async #evict(ruleId: string | undefined, wantedBytes: number): Promise<number> {
    let freedBytes = 0;
    while (freedBytes < wantedBytes) {
      const oldest = await this.#index.oldest(ruleId, this.#nowMs() - freshMs, batch);
      if (oldest.length === 0) break;
      let count = 0;
      const before = freedBytes;
      for (const blob of oldest) {
        if (freedBytes >= wantedBytes) break;
        await this.remove(blob);
        freedBytes += blob.sizeBytes;
        count++;
      }
      this.#evicted(count, freedBytes - before);
    }
    return freedBytes;
  }

  async #held(): Promise<Map<string, number>> {
    this.#sizes ??= new Map(await this.#index.sizes());
    return this.#sizes;
  }
}
