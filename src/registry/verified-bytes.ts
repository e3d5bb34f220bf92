import { asFailure } from "../errors/failure.ts";
import { algorithmOf, digestFrom } from "../reference/digest.ts";
import type { Absent, Answer, BlobStream, Unavailable } from "./remote.ts";
import { unavailable } from "./unavailable.ts";
import type { BlobToPush } from "./writable.ts";

/** A piece of a blob, as it is passed on without a copy. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** The state of the hash at a byte: where reading can begin again. */
interface Mark {
  readonly atByte: number;
  readonly hasher: Bun.CryptoHasher;
}

/** How often a source is opened again without a byte in between. */
const reopensMax = 3;
const smallestMarkBytes = 4 * 1024 * 1024;
const marksMax = 256;

/**
 * Reads a blob from its source and hashes it as it goes. A source that breaks is opened again where it broke. What completes the blob
 * is given only when the digest is right; what a source sends beyond its size is left. It can go back, to a mark, and hashes anew from there.
 */
export class VerifiedBytes {
  readonly #blob: BlobToPush;
  readonly #markBytes: number;
  readonly #marks: Mark[];
  #hasher: Bun.CryptoHasher;
  /** The source as somebody else has opened it, at its beginning. */
  #opened: Answer<BlobStream> | undefined;
  #reader: ReadableStreamDefaultReader<Bytes> | undefined;
  #openedSizeBytes: number | undefined;
  /** Bytes of the open stream that lie before what is wanted. */
  #skipBytes = 0;
  #readBytes = 0;
  #reopens = 0;
  #isReading = false;
  /** Counts the times it was taken elsewhere; a read from before that gives nothing. */
  #turn = 0;
  #end: Absent | Unavailable | undefined;

  constructor(blob: BlobToPush) {
    this.#blob = blob;
    this.#hasher = new Bun.CryptoHasher(algorithmOf(blob.digest));
    this.#markBytes = Math.max(smallestMarkBytes, Math.ceil(blob.sizeBytes / marksMax));
    this.#marks = [{ atByte: 0, hasher: this.#hasher.copy() }];
    if (blob.sizeBytes === 0) this.#verify();
  }

  /** Why there is no more of it: it is absent, cannot be had, or is not what it was said to be. */
  get end(): Absent | Unavailable | undefined {
    return this.#end;
  }

  /** A read is waiting for its bytes. They are lost unless who began it takes them. */
  get isReading(): boolean {
    return this.#isReading;
  }

  /** Takes the source as it was opened at its beginning, before anything is read. */
  startWith(answer: Answer<BlobStream>): void {
    if (answer.kind === "found") this.#opened = answer;
    else this.#end = answer;
  }

  /** The next bytes; `undefined` when there are none or it was taken elsewhere meanwhile. */
  async read(): Promise<Bytes | undefined> {
    const turn = this.#turn;
    while (this.#end === undefined) {
      this.#isReading = true;
      const reader = this.#reader ?? (await this.#open(turn));
      const piece = await reader?.read().catch(brokenOff);
      if (turn !== this.#turn) return undefined;
      this.#isReading = false;
      if (piece === undefined) return undefined;
      const fresh = piece.value === undefined ? this.#breaks(piece) : this.#accept(piece.value);
      if (fresh !== undefined) return fresh;
    }
    return undefined;
  }

  /** Goes to the last mark at or before a byte that was read, and says where that is. */
  rewind(toByte: number): number {
    this.close();
    while ((this.#marks.at(-1)?.atByte ?? 0) > toByte) this.#marks.pop();
    const mark = this.#marks.at(-1);
    this.#hasher = mark?.hasher.copy() ?? new Bun.CryptoHasher(algorithmOf(this.#blob.digest));
    this.#readBytes = mark?.atByte ?? 0;
    return this.#readBytes;
  }

  /** Lets go of the source. */
  close(): void {
    this.#turn += 1;
    this.#isReading = false;
    this.#letGo();
  }

  async #open(turn: number): Promise<ReadableStreamDefaultReader<Bytes> | undefined> {
    const fromByte = this.#readBytes;
    const opened = this.#opened;
    this.#opened = undefined;
    const answer = opened ?? (await openSource(this.#blob, fromByte));
    const isOpen = answer.kind === "found";
    if (turn === this.#turn) {
      this.#end = isOpen ? otherBlob(answer, this.#blob, fromByte) : answer;
      if (isOpen && this.#end === undefined) {
        this.#skipBytes = fromByte - answer.startByte;
        this.#openedSizeBytes = answer.sizeBytes;
        this.#reader = answer.body.getReader();
        return this.#reader;
      }
    }
    if (isOpen) answer.body.cancel().catch(() => {});
    return undefined;
  }

  /** Counts and hashes a piece; what is left of it, if it is of use. */
  #accept(piece: Bytes): Bytes | undefined {
    const skippedBytes = Math.min(this.#skipBytes, piece.byteLength);
    this.#skipBytes -= skippedBytes;
    const { sizeBytes } = this.#blob;
    const fresh = piece.subarray(skippedBytes).subarray(0, sizeBytes - this.#readBytes);
    if (fresh.byteLength === 0) return undefined;
    this.#reopens = 0;
    this.#readBytes += fresh.byteLength;
    this.#hasher.update(fresh);
    if (this.#readBytes === sizeBytes) this.#verify();
    else this.#mark();
    return this.#end === undefined ? fresh : undefined;
  }

  #mark(): void {
    if (this.#readBytes - (this.#marks.at(-1)?.atByte ?? 0) < this.#markBytes) return;
    this.#marks.push({ atByte: this.#readBytes, hasher: this.#hasher.copy() });
  }

  #verify(): void {
    const { digest } = this.#blob;
    const found = digestFrom(algorithmOf(digest), this.#hasher.copy().digest("hex"));
    if (found !== digest) this.#end = wrongBytes(this.#blob, "sends other bytes");
  }

  /** The source's stream ended, or broke, before the blob did. */
  #breaks(how: { readonly done: true } | Unavailable): undefined {
    this.#letGo();
    this.#reopens += 1;
    if ("done" in how && this.#openedSizeBytes === undefined) {
      this.#end = wrongBytes(this.#blob, `sends ${this.#readBytes} bytes of it, not ${this.#blob.sizeBytes}`);
    } else if (this.#reopens > reopensMax) {
      this.#end =
        "done" in how
          ? unavailable("failed", `the source of ${this.#blob.digest} ends it after ${this.#readBytes} bytes`)
          : how;
    }
  }

  #letGo(): void {
    if (this.#opened?.kind === "found") this.#opened.body.cancel().catch(() => {});
    this.#opened = undefined;
    this.#reader?.cancel().catch(() => {});
    this.#reader = undefined;
  }
}

function otherBlob(stream: BlobStream, blob: BlobToPush, fromByte: number): Unavailable | undefined {
  if (stream.startByte > fromByte)
    return unavailable("refused", `the source of ${blob.digest} does not send it from ${fromByte} on`);
  if (stream.sizeBytes === undefined || stream.sizeBytes === blob.sizeBytes) return undefined;
  return wrongBytes(blob, `has ${stream.sizeBytes} bytes of it, not ${blob.sizeBytes}`);
}

function wrongBytes({ digest }: BlobToPush, what: string): Unavailable {
  return unavailable("wrong-bytes", `the source of ${digest} ${what}`);
}

/** Opens a source; what it throws is an answer as well. */
export async function openSource(blob: BlobToPush, startByte: number): Promise<Answer<BlobStream>> {
  return await blob.open(startByte).catch(notOpened);
}

function notOpened(error: unknown): Unavailable {
  return unavailable("failed", asFailure(error, "UPSTREAM_FAILED", "opening the source").message);
}

function brokenOff(error: unknown): Unavailable & { readonly value?: undefined } {
  return unavailable("failed", asFailure(error, "UPSTREAM_FAILED", "the source broke off").message);
}
