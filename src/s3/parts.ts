import { algorithmOf, type Digest, digestFrom } from "../reference/digest.ts";
import type { Unavailable } from "../registry/remote.ts";
import type { Payload } from "./call.ts";

/** A part that is ready to be sent. */
export interface Part {
  readonly kind: "part";
  readonly payload: Payload;
  /** Base64 of the CRC-32 of its bytes, as stores verify it. */
  readonly crc32: string;
}

/**
 * The parts of an object, one after the other. `memory` is for this part alone until it is sent. Absent: the source does not have it.
 * The digest of all is known once the last part was given.
 */
export interface Parts {
  /** How much memory `next` wants for a part of this size. */
  memoryBytes(partBytes: number): number;
  next(memory: Uint8Array<ArrayBuffer>): Promise<Part | { readonly kind: "absent" } | Unavailable>;
  digest(): Digest;
  close(): Promise<void>;
}

/** How an object is cut, and how many parts may be under way at once. */
export interface Cut {
  readonly partBytes: number;
  readonly parts: number;
  readonly atOnce: number;
}

const mebibyte = 1024 * 1024;
const partsMax = 10_000;
/** What parts under way may take in memory together. */
const memoryBytes = 24 * mebibyte;
const partSizes: readonly number[] = [8 * mebibyte, 16 * mebibyte, 32 * mebibyte];

/** The smallest parts of which 10,000 are enough (S3's limit): 8 to 32 MiB; `undefined` for more than 312 GiB. */
export function cutOf(sizeBytes: number): Cut | undefined {
  const partBytes = partSizes.find((bytes) => bytes * partsMax >= sizeBytes);
  if (partBytes === undefined) return undefined;
  const parts = Math.max(1, Math.ceil(sizeBytes / partBytes));
  return { partBytes, parts, atOnce: Math.min(parts, Math.max(1, Math.floor(memoryBytes / partBytes))) };
}

/** Hashes an object as a whole and each of its parts, while they pass once. */
export class PartHasher {
  readonly #algorithm: "sha256" | "sha512";
  readonly #whole: Bun.CryptoHasher;
  #crc = 0;

  constructor(digest: Digest) {
    this.#algorithm = algorithmOf(digest);
    this.#whole = new Bun.CryptoHasher(this.#algorithm);
  }

  update(bytes: Uint8Array<ArrayBuffer>): void {
    this.#whole.update(bytes);
    this.#crc = Bun.hash.crc32(bytes, this.#crc);
  }

  /** The base64 of the part's CRC-32; the next part begins. */
  endPart(): string {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(this.#crc);
    this.#crc = 0;
    return bytes.toString("base64");
  }

  /** Of everything; once. */
  digest(): Digest {
    return digestFrom(this.#algorithm, this.#whole.digest("hex"));
  }
}
