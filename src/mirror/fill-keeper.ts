import type { Failure } from "../errors/failure.ts";
import type { Draft } from "../store/draft.ts";

/** What a fill needs of those who keep content. */
export interface FillKeeper {
  /** Makes room on a full disk; false when nothing could be evicted. */
  makeRoom(neededBytes: number): Promise<boolean>;
  /** Called once the bytes are right and on disk: publish them. Throws when they could not be kept. */
  keep(draft: Draft, sizeBytes: number): Promise<void>;
  /** Called when the upstream's bytes were not those of the digest. */
  wrongBytes(message: string): void;
  /** Called when nothing could be kept, with the reason. The clients are served all the same. */
  notKept(failure: Failure): void;
}
