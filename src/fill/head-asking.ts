import type { Digest } from "../reference/digest.ts";
import type { Answer, Unavailable } from "../registry/remote.ts";
import { forEachAtOnce } from "../copy/at-once.ts";

const headsAtOnce = 32;
/** One that gives no word so often in a row, without ever having given one since, is not asked about the others. */
const silencesMax = 40;

/** Asks a store about blobs one by one, and adds up what it says. */
export class HeadAsking {
  readonly sizes: Map<Digest, number> = new Map<Digest, number>();
  readonly unknown: Set<Digest> = new Set<Digest>();
  failure: Unavailable | undefined;
  heads = 0;
  #silences = 0;

  async ask(
    wanted: readonly Digest[],
    head: (digest: Digest) => Promise<Answer<{ readonly sizeBytes: number }>>,
  ): Promise<void> {
    await forEachAtOnce(wanted, headsAtOnce, async (digest) => {
      if (this.#silences >= silencesMax) {
        this.unknown.add(digest);
        return;
      }
      this.heads++;
      this.#take(digest, await head(digest));
    });
  }

  #take(digest: Digest, answer: Answer<{ readonly sizeBytes: number }>): void {
    if (answer.kind === "unavailable") {
      this.failure ??= answer;
      this.unknown.add(digest);
      this.#silences++;
      return;
    }
    this.#silences = 0;
    if (answer.kind === "found") this.sizes.set(digest, answer.sizeBytes);
  }
}
