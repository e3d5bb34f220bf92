import type { Digest } from "../reference/digest.ts";
import type { Repository } from "../reference/repository.ts";
import type { ContentStore, HeldContent } from "../store/content.ts";
import type { Draft } from "../store/draft.ts";
import type { ContentIndex } from "../store/content-index.ts";
import type { HostedIndex } from "../store/hosted-index.ts";
import type { UploadSession } from "./session.ts";

/** What blobs of our own are kept with. */
export interface HostedBlobParts {
  readonly index: HostedIndex;
  readonly held: Pick<ContentIndex, "blob">;
  readonly content: ContentStore;
  readonly nowMs: () => number;
}

/** A blob that a repository has, and where its bytes are. */
export interface FoundBlob {
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly content: HeldContent;
}

/** A promise that a blob is there is renewed when it is older than this: far less than it is good for. */
const renewMs = 3_600_000;

/** Blobs of our own repositories. */
export class HostedBlobs {
  readonly #parts: HostedBlobParts;

  constructor(parts: HostedBlobParts) {
    this.#parts = parts;
  }

  /** The blob, when the repository has it. Who is told so may rely on it for as long as a lease is good. */
  async find(repository: Repository, digest: Digest): Promise<FoundBlob | undefined> {
    const { index, content, nowMs } = this.#parts;
    const blob = await index.blob(repository, digest);
    const held = blob && content.held(digest, blob.sizeBytes);
    if (blob === undefined || held === undefined) return undefined;
    const isPromised = blob.leasedAtMs > nowMs() - renewMs || (await index.lease(repository, digest, nowMs()));
    return isPromised ? { digest, sizeBytes: blob.sizeBytes, content: held } : undefined;
  }

  /** The blob's content as a draft, for whoever sends the same bytes once more: they need not be written again. */
  async again(repository: Repository, digest: Digest): Promise<Draft | undefined> {
    return (await this.find(repository, digest)) && (await this.#parts.content.again(digest));
  }

  /** Makes an upload, whose bytes are those of the digest, a blob of the repository. It is on the disk when this resolves. */
  async keep(repository: Repository, digest: Digest, { draft, sizeBytes }: UploadSession): Promise<void> {
    const { index, held, content, nowMs } = this.#parts;
    await content.alone(digest, async () => {
      const isHeld = (await held.blob(digest)) !== undefined && content.held(digest, sizeBytes) !== undefined;
      if (isHeld) await draft.discard();
      else await content.publish(draft, digest);
      await index.addBlob(repository, { digest, sizeBytes, leasedAtMs: nowMs() });
    });
  }

  /** Makes a blob of one repository one of another as well; false when the first has it not. */
  async mount(repository: Repository, digest: Digest, from: Repository): Promise<boolean> {
    const { index, nowMs } = this.#parts;
    return (await this.find(from, digest)) !== undefined && (await index.mountBlob(repository, digest, nowMs()));
  }

  /** Takes a blob out of a repository; false when it was not there. Its bytes go when nothing else needs them. */
  remove(repository: Repository, digest: Digest): Promise<boolean> {
    return this.#parts.index.removeBlob(repository, digest);
  }
}
