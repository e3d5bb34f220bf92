import { DraftWriter } from "../store/draft-writer.ts";
import { algorithmOf, type Digest, type DigestAlgorithm, digestFrom } from "../reference/digest.ts";
import type { Draft } from "../store/draft.ts";
import type { OpenUpload } from "../store/uploads.ts";

/** How far a client may be ahead of the disk: what each push takes of memory. */
const aheadBytes = 2 * 1024 * 1024;
const rehashBytes = 1024 * 1024;
/** How much comes in before it is asked again whether the same content is held meanwhile. */
const askAgainBytes = 4 * 1024 * 1024;

/** Bytes of a request, as they come. */
export type Body = AsyncIterable<Uint8Array<ArrayBuffer>>;

/** Finds the content that an upload is to be, where it is held already, as a draft for the upload to take as its own. */
export type FindHeld = () => Promise<Draft | undefined>;

/** One upload: its file, and the hash of what is in it. It is used by one request at a time. */
export class UploadSession {
  #draft: Draft;
  readonly #makeRoom: (neededBytes: number) => Promise<boolean>;
  #sizeBytes: number;
  #hasher: Bun.CryptoHasher | undefined;
  #algorithm: DigestAlgorithm = "sha256";
  #isBroken = false;

  constructor({ draft, sizeBytes }: OpenUpload, makeRoom: (neededBytes: number) => Promise<boolean>) {
    this.#draft = draft;
    this.#sizeBytes = sizeBytes;
    this.#makeRoom = makeRoom;
    // What an earlier process wrote is hashed when its digest is wanted.
    this.#hasher = sizeBytes === 0 ? new Bun.CryptoHasher("sha256") : undefined;
  }

  /** The file that its bytes are in. */
  get draft(): Draft {
    return this.#draft;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** True once the disk has refused something: how much there is, only the file itself can say now. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** Says which digest is to come, as early as it is known, so that nothing has to be read again. */
  expect(algorithm: DigestAlgorithm): void {
    if (algorithm === this.#algorithm) return;
    this.#algorithm = algorithm;
    this.#hasher = this.#sizeBytes === 0 ? new Bun.CryptoHasher(algorithm) : undefined;
  }

  /**
   * Writes and hashes a body behind what is there; false when it broke off, and then what was written stays. Where the content is
   * held already, or is so before the body ends, the rest is hashed only. Throws what the disk throws.
   */
  async append(body: Body, findHeld: FindHeld = async () => undefined): Promise<boolean> {
    let isWhole = true;
    let moved: (() => void) | undefined;
    const makeRoom = (): Promise<boolean> => this.#makeRoom(aheadBytes);
    const writer = new DraftWriter(this.#draft, makeRoom, () => moved?.(), this.#sizeBytes);
    let headBytes = this.#sizeBytes;
    let askAtByte = headBytes;
    let held: Draft | undefined;
    try {
      for await (const bytes of body) {
        if (held === undefined && headBytes >= askAtByte && this.#hasher !== undefined) {
          // Without an answer it is written as ever.
          held = await findHeld().catch(() => undefined);
          askAtByte = headBytes + askAgainBytes;
        }
        this.#hasher?.update(bytes);
        if (held === undefined) writer.push({ startByte: headBytes, bytes });
        headBytes += bytes.byteLength;
        if (held !== undefined) continue;
        while (headBytes - writer.writtenBytes > aheadBytes && writer.error === undefined)
          await new Promise<void>((resolve) => (moved = resolve));
        if (writer.error !== undefined) break;
      }
    } catch {
      // A body that breaks off is its sender's doing, and no failure here.
      isWhole = false;
    }
    this.#isBroken = !(await writer.settle());
    this.#sizeBytes = writer.writtenBytes;
    if (held !== undefined) await this.#hashedOnly(held, isWhole && writer.error === undefined ? headBytes : undefined);
    if (writer.error !== undefined) throw writer.error;
    return isWhole;
  }

  /** Takes held content for what was hashed and not written; when that did not come whole, it goes on where the file ends. */
  async #hashedOnly(held: Draft, wholeBytes: number | undefined): Promise<void> {
    const given = wholeBytes === undefined ? held : this.#draft;
    if (wholeBytes === undefined) {
      this.#hasher = undefined;
    } else {
      this.#draft = held;
      this.#sizeBytes = wholeBytes;
    }
    try {
      await given.discard();
    } finally {
      await given.close();
    }
  }

  /** The digest of all that is there. */
  async digest(like: Digest): Promise<Digest> {
    this.expect(algorithmOf(like));
    const hasher = this.#hasher?.copy() ?? (await this.#rehash());
    return digestFrom(this.#algorithm, hasher.digest("hex"));
  }

  async #rehash(): Promise<Bun.CryptoHasher> {
    const hasher = new Bun.CryptoHasher(this.#algorithm);
    for (let offset = 0; offset < this.#sizeBytes; ) {
      const bytes = await this.#draft.read(offset, Math.min(rehashBytes, this.#sizeBytes - offset));
      if (bytes.byteLength === 0) break;
      hasher.update(bytes);
      offset += bytes.byteLength;
    }
    this.#hasher = hasher;
    return hasher.copy();
  }
}
