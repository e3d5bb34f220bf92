import { asFailure, Failure } from "../errors/failure.ts";
import { algorithmOf, type Digest, digestFrom } from "../reference/digest.ts";
import type { BlobStream } from "../registry/remote.ts";
import type { Place } from "../store/content-index.ts";
import type { Draft } from "../store/draft.ts";
import { type DownloadSource, download } from "./download.ts";
import { DraftWriter } from "../store/draft-writer.ts";
import type { FillKeeper } from "./fill-keeper.ts";
import { closeBytes, FillReaders } from "./fill-readers.ts";
import { isSamePlace } from "./pull.ts";
import { RecentChunks } from "./recent-chunks.ts";

/** What a read gives: bytes, the verified end, or that these bytes are no longer here and must be fetched again. */
export type FillRead =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "end" }
  | { readonly kind: "lost"; readonly keptBytes: number };

/** How a fill ended: its bytes are held, or were right and could not be kept, or were not got. */
export type FillEnd =
  | { readonly kind: "kept" }
  | { readonly kind: "not-kept"; readonly reason: string }
  | { readonly kind: "failed"; readonly failure: Failure };

type FillState =
  | { readonly kind: "running" }
  | { readonly kind: "verified" }
  | { readonly kind: "failed"; readonly failure: Failure };

/** Bytes of the newest chunks that stay in memory for readers close to the write head. */
const recentBytes = 1024 * 1024;
/** How far the download may be ahead of the disk or, without one, of its fastest reader. */
const aheadBytes = 8 * 1024 * 1024;
/** How long the download waits for its fastest reader to come close again, for each `closeBytes` that come: never slower than 25 MB/s. */
const paceMs = 20;

/**
 * One download of one digest: hashed and written as it comes, read by any number of clients behind the write head. It
 * needs no client to go on. The last chunk is not shown before size and digest have matched, so no client ever gets a
 * complete body of wrong bytes.
 */
export class Fill {
  readonly source: DownloadSource;
  readonly sizeBytes: number | undefined;
  readonly #draft: Draft | undefined;
  readonly #writer: DraftWriter | undefined;
  readonly #keeper: FillKeeper;
  readonly #places: Place[];
  readonly #recent = new RecentChunks();
  readonly #hasher: Bun.CryptoHasher;
  readonly #readers = new FillReaders();
  #state: FillState = { kind: "running" };
  #headBytes = 0;
  #shownBytes = 0;
  #paceFromByte = 0;
  #waiting: (() => void)[] = [];
  #resumeDownload: (() => void) | undefined;
  #finished = false;
  #keptOrWhyNot: FillEnd = { kind: "not-kept", reason: "there was no room for it" };
  readonly #ended = Promise.withResolvers<FillEnd>();

  constructor(source: DownloadSource, sizeBytes: number | undefined, draft: Draft | undefined, keeper: FillKeeper) {
    this.source = source;
    this.#places = [source.place];
    this.sizeBytes = sizeBytes;
    this.#draft = draft;
    this.#keeper = keeper;
    this.#writer =
      draft &&
      new DraftWriter(
        draft,
        () => keeper.makeRoom(this.#missingBytes()),
        () => this.#written(),
      );
    this.#hasher = new Bun.CryptoHasher(algorithmOf(source.digest));
  }

  get digest(): Digest {
    return this.source.digest;
  }

  /** Whether that place's upstream has said that it has this. */
  isAt(place: Place): boolean {
    return this.#places.some((known) => isSamePlace(known, place));
  }

  /** Said when another place's upstream has it too. */
  addPlace(place: Place): void {
    if (!this.isAt(place)) this.#places.push(place);
  }

  /** Bytes received so far. */
  get headBytes(): number {
    return this.#headBytes;
  }

  /** Why nobody will get its bytes whole, from the moment on that this is so. */
  get failure(): Failure | undefined {
    return this.#state.kind === "failed" ? this.#state.failure : undefined;
  }

  /** Whether what comes is written to be kept. */
  get isKept(): boolean {
    return this.#isOnDisk();
  }

  /** Ends the download when nobody reads it. */
  abandon(): void {
    if (this.#readers.size === 0) this.stop();
  }

  /** Ends the download. */
  stop(): void {
    this.source.stop.abort();
    this.#resumeDownload?.();
  }

  /** Resolves once the fill is over and what it leaves is in its place. Never rejects. */
  get ended(): Promise<FillEnd> {
    return this.#ended.promise;
  }

  /** Runs the download to its end and keeps what came. Never throws. */
  async run(first: BlobStream): Promise<void> {
    const end = await download(this.source, first, 0, (bytes) => this.#accept(bytes));
    if (end.kind === "unavailable") this.#fail(new Failure({ code: "UPSTREAM_FAILED", message: end.message }));
    else if (this.#verify()) await this.#keep();
    await this.#writer?.settle();
    if (this.#state.kind === "failed") await this.#draft?.discard().catch(() => undefined);
  }

  /** Said after `run`, once no reader can enter any more: the file is closed when the last one has left. */
  async finish(): Promise<void> {
    this.#finished = true;
    this.#ended.resolve(this.#state.kind === "failed" ? this.#state : this.#keptOrWhyNot);
    await this.#closeIfUnused();
  }

  /** Enters a reader at an offset; until it leaves, what it needs stays readable. */
  enter(reader: object, offset: number): void {
    this.#readers.enter(reader, offset);
    this.#resumeDownload?.();
  }

  async leave(reader: object): Promise<void> {
    this.#readers.leave(reader);
    this.#resumeDownload?.();
    await this.#closeIfUnused();
  }

  /** The next bytes at an offset, at most 256 KiB. Waits for them. Throws the fill's failure; a disk's is no end, but a loss. */
  async read(reader: object, offset: number, maxBytes: number): Promise<FillRead> {
    this.#readers.moved(reader, offset);
    this.#resumeDownload?.();
    for (;;) {
      if (this.#state.kind === "failed") throw this.#state.failure;
      if (offset < this.#shownBytes) {
        const end = offset + Math.min(maxBytes, this.#readers.readBytes);
        const recent = this.#recent.read(offset, Math.min(end, this.#shownBytes));
        const bytes = recent ?? (await this.readWritten(offset, maxBytes).catch(() => null));
        if (bytes === null) return { kind: "lost", keptBytes: 0 };
        if (bytes !== undefined) return { kind: "bytes", bytes };
        if (this.#writer?.error !== undefined || this.#draft === undefined) {
          return { kind: "lost", keptBytes: this.#writer?.writtenBytes ?? 0 };
        }
      } else if (this.#state.kind === "verified") return { kind: "end" };
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** What the disk holds from an offset on, as far as one read goes; `undefined` when that is nothing. */
  async readWritten(offset: number, maxBytes: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const heldEnd = Math.min(this.#writer?.writtenBytes ?? 0, this.#shownBytes);
    const end = Math.min(offset + Math.min(maxBytes, this.#readers.readBytes), heldEnd);
    return this.#draft === undefined || offset >= end ? undefined : this.#draft.read(offset, end - offset);
  }

  #accept(bytes: Uint8Array<ArrayBuffer>): Promise<void> | undefined {
    const chunk = { startByte: this.#headBytes, bytes };
    this.#hasher.update(bytes);
    this.#recent.push(chunk);
    this.#writer?.push(chunk);
    this.#headBytes += bytes.byteLength;
    const isLast = this.sizeBytes === undefined || this.#headBytes >= this.sizeBytes;
    this.#shownBytes = isLast ? chunk.startByte : this.#headBytes;
    this.#trim();
    this.#wake();
    return this.#isAhead() || this.#isLeaving() ? this.#untilCaughtUp() : undefined;
  }

  #verify(): boolean {
    if (this.sizeBytes !== undefined && this.#headBytes > this.sizeBytes)
      return this.#wrong("sent more than the size it gave");
    const digest = digestFrom(algorithmOf(this.digest), this.#hasher.digest("hex"));
    if (digest !== this.digest) return this.#wrong(`sent bytes whose digest is ${digest}`);
    this.#shownBytes = this.#headBytes;
    this.#state = { kind: "verified" };
    this.#wake();
    return true;
  }

  #wrong(what: string): false {
    const { place, digest } = this.source;
    const message = `${place.upstream} ${what} when asked for ${digest} of ${place.repository}; nothing was kept`;
    this.#fail(new Failure({ code: "UPSTREAM_WRONG_BYTES", message }));
    this.#keeper.wrongBytes(message);
    return false;
  }

  #fail(failure: Failure): void {
    this.#state = { kind: "failed", failure };
    this.#wake();
  }

  async #keep(): Promise<void> {
    if (this.#draft === undefined || this.#writer === undefined) return;
    try {
      if (!(await this.#writer.settle())) throw this.#writer.error;
      await this.#keeper.keep(this.#draft, this.#headBytes);
      this.#keptOrWhyNot = { kind: "kept" };
    } catch (error) {
      const failure = asFailure(error, "STORAGE_FAILED", `${this.digest} could not be kept`);
      this.#keptOrWhyNot = { kind: "not-kept", reason: failure.message };
      this.#keeper.notKept(failure);
      await this.#draft.discard().catch(() => undefined);
    }
  }

  #missingBytes(): number {
    return (this.sizeBytes ?? this.#headBytes + aheadBytes) - (this.#writer?.writtenBytes ?? 0);
  }

  #written(): void {
    this.#trim();
    this.#wake();
    this.#resumeDownload?.();
  }

  #trim(): void {
    if (this.#isOnDisk()) this.#recent.trim(recentBytes, this.#writer?.writtenBytes ?? 0);
    else this.#recent.trim(aheadBytes, this.#headBytes);
  }

  #isOnDisk(): boolean {
    return this.#writer !== undefined && this.#writer.error === undefined;
  }

  /** With a disk, the disk sets the pace; without one, the fastest reader does. */
  #isAhead(): boolean {
    if (this.#isOnDisk()) return this.#headBytes - (this.#writer?.writtenBytes ?? 0) > aheadBytes;
    return this.#readers.fastest < this.#headBytes - aheadBytes / 2;
  }

  #isLeaving(): boolean {
    return this.#isOnDisk() && this.#headBytes >= this.#paceFromByte && this.#readers.isLeaving(this.#headBytes);
  }

  async #untilCaughtUp(): Promise<void> {
    while (this.#isAhead() && !this.source.stop.signal.aborted) {
      // Without a disk the bytes are for those who wait for them, and for nobody else.
      if (!this.#isOnDisk() && this.#readers.size === 0) return this.source.stop.abort();
      await this.#moveOrWrite();
      this.#trim();
    }
    if (this.#isLeaving()) await this.#pace();
  }

  async #pace(): Promise<void> {
    const timer = setTimeout(() => {
      this.#paceFromByte = this.#headBytes + closeBytes;
      this.#resumeDownload?.();
    }, paceMs);
    while (this.#isLeaving() && !this.source.stop.signal.aborted) await this.#moveOrWrite();
    clearTimeout(timer);
  }

  /** The next time that a reader has moved or a write has ended. */
  async #moveOrWrite(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#resumeDownload = resolve;
    });
    this.#resumeDownload = undefined;
  }

  #wake(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }

  async #closeIfUnused(): Promise<void> {
    if (!this.#finished || this.#readers.size > 0) return;
    await this.#draft?.close().catch(() => undefined);
  }
}
