import type { Digest } from "../reference/digest.ts";
import type { Repository } from "../reference/repository.ts";
import type { ImageTarget } from "./ends.ts";

/** What is known of one blob at one registry, or in one folder. */
interface Placed {
  /** Repositories that have it. */
  readonly holders: Set<Repository>;
  /** Work that brings it to a repository. */
  readonly running: Map<Repository | undefined, Promise<unknown>>;
  isHere: boolean;
}

/** The outcome of bringing a blob; with `isThere` it is known to be at the target from then on. */
export interface Bringing<Outcome> {
  readonly isThere: boolean;
  readonly outcome: Outcome;
}

/**
 * Which blobs are known to be where, in one run. Whoever wants the same blob at the same registry meanwhile waits: it is sent
 * there once, and mounted from then on.
 */
export class PlacedBlobs {
  readonly #places = new Map<string | ImageTarget, Map<Digest, Placed>>();

  /** Does the work unless it is known to be there, which is `undefined`. The work is told where it could be mounted from. */
  async bring<Outcome>(
    target: ImageTarget,
    digest: Digest,
    work: (mountFrom: readonly Repository[]) => Promise<Bringing<Outcome>>,
  ): Promise<Outcome | undefined> {
    const placed = this.#placed(target, digest);
    const repository = target.place?.repository;
    for (;;) {
      if (repository === undefined ? placed.isHere : placed.holders.has(repository)) return undefined;
      const running = runningFor(placed, repository);
      if (running === undefined) break;
      await running.catch(() => undefined);
    }
    const run = this.#run(placed, repository, work([...placed.holders]));
    placed.running.set(repository, run);
    return await run;
  }

  async #run<Outcome>(
    placed: Placed,
    repository: Repository | undefined,
    work: Promise<Bringing<Outcome>>,
  ): Promise<Outcome> {
    try {
      const { isThere, outcome } = await work;
      if (isThere && repository !== undefined) placed.holders.add(repository);
      placed.isHere ||= isThere;
      return outcome;
    } finally {
      placed.running.delete(repository);
    }
  }

  #placed(target: ImageTarget, digest: Digest): Placed {
    const key = target.place?.registry ?? target;
    const blobs = this.#places.get(key) ?? new Map<Digest, Placed>();
    this.#places.set(key, blobs);
    const placed = blobs.get(digest) ?? { holders: new Set(), running: new Map(), isHere: false };
    blobs.set(digest, placed);
    return placed;
  }
}

/** While no repository has it the first one's work is everybody's; after that each repository's own. */
function runningFor({ holders, running }: Placed, repository: Repository | undefined): Promise<unknown> | undefined {
  if (holders.size > 0 || repository === undefined) return running.get(repository);
  return running.values().next().value;
}
