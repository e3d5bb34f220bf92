import type { NativeTries } from "./native-tries.ts";
import type { Absent, Answer, BlobStream, NativeBody, Unavailable } from "./remote.ts";
import type { FlowingBody, Progress } from "./request.ts";
import { type Bytes, openSource, VerifiedBytes } from "./verified-bytes.ts";
import type { BlobToPush } from "./writable.ts";

interface Part {
  readonly startByte: number;
  readonly endByte: number;
}

/**
 * A blob as the bodies of requests: whole or in parts, one body at a time, a part given once more where the registry lost it. The first
 * may be the source's own, unread; every other is read and hashed.
 */
export class BlobSource {
  readonly #blob: BlobToPush;
  readonly #bytes: VerifiedBytes;
  /** What was read and lies beyond the part that was asked for. */
  #rest: Bytes | undefined;
  #givenBytes = 0;
  /** A piece was read for a body that was wanted no more by then: what is read next does not follow what was given. */
  #hasLost = false;
  /** Which body is the present one; former ones give nothing more. */
  #turn = 0;
  #toldBytes = 0;
  #sentBytes = 0;
  /** The source's own body, until it is given. */
  #native: { readonly body: NativeBody; readonly tries: NativeTries } | undefined;
  #isNative = false;
  /** Ends the native body while it is the present one. */
  #endNative: (() => void) | undefined;

  constructor(blob: BlobToPush) {
    this.#blob = blob;
    this.#bytes = new VerifiedBytes(blob);
  }

  /** Why there is no more of it, once that is so. */
  get end(): Absent | Unavailable | undefined {
    return this.#bytes.end;
  }

  /** How much was handed on in all; what was handed on twice is counted twice. */
  get sentBytes(): number {
    return this.#sentBytes;
  }

  /** The present body, or the last one if it was stopped, was not read here: what was sent is not known to be the blob. */
  get isNative(): boolean {
    return this.#isNative;
  }

  /** Opens the source, so that the first body of the whole may be its own. To be called before there is any. */
  async openNative(tries: NativeTries): Promise<void> {
    if (this.end !== undefined || !tries.isFor(this.#blob.sizeBytes)) return;
    const opened = await openSource(this.#blob, 0);
    const native = nativeOf(opened, this.#blob);
    if (native === undefined) this.#bytes.startWith(opened);
    else this.#native = { body: native, tries };
  }

  /** A part of it as a body, which errors where the source ends for good. */
  body(startByte: number, endByte: number): FlowingBody {
    return (progress) =>
      this.#nativeBody({ startByte, endByte }, progress) ?? this.#stream({ startByte, endByte }, progress);
  }

  /** The present body is wanted no more. */
  stop(): void {
    this.#turn += 1;
    this.#endNative?.();
    this.#endNative = undefined;
  }

  /** The registry has all of it. */
  completed(): void {
    if (this.#isNative) this.#sentBytes += this.#blob.sizeBytes;
    this.#tell(this.#blob.sizeBytes - this.#toldBytes);
  }

  /** Lets go of the source. */
  close(): void {
    this.stop();
    this.#native?.body.end();
    this.#bytes.close();
  }

  #nativeBody({ startByte, endByte }: Part, progress: Progress): ReadableStream<Bytes> | undefined {
    this.stop();
    this.#isNative = false;
    const native = this.#native;
    if (native === undefined || startByte !== 0 || endByte !== this.#blob.sizeBytes) return undefined;
    this.#native = undefined;
    this.#isNative = true;
    this.#endNative = native.tries.begin(native.body);
    progress.moved();
    return native.body.stream;
  }

  #stream(part: Part, progress: Progress): ReadableStream<Bytes> {
    this.#turn += 1;
    const turn = this.#turn;
    this.#goTo(part.startByte);
    return new ReadableStream<Bytes>(
      {
        pull: async (controller) => {
          progress.waits();
          const bytes = await this.#take(turn, part);
          if (bytes === undefined) return controller.error(new Error("there is no more of it"));
          controller.enqueue(bytes);
          if (this.#givenBytes < part.endByte) return progress.moved();
          controller.close();
          progress.ended();
        },
        cancel: () => {
          if (turn === this.#turn) this.stop();
        },
      },
      { highWaterMark: 0 },
    );
  }

  #goTo(startByte: number): void {
    if (this.#bytes.isReading || this.#hasLost || this.#givenBytes !== startByte) {
      this.#hasLost = false;
      this.#givenBytes = this.#bytes.rewind(startByte);
      this.#rest = undefined;
    }
    this.#tell(startByte - this.#toldBytes);
  }

  /** The next bytes of the part; `undefined` when there are none, or it is another body's turn. */
  async #take(turn: number, { startByte, endByte }: Part): Promise<Bytes | undefined> {
    while (turn === this.#turn) {
      const piece = this.#rest ?? (await this.#bytes.read());
      if (turn !== this.#turn) this.#hasLost ||= piece !== undefined;
      if (piece === undefined || turn !== this.#turn) return undefined;
      const from = Math.max(0, Math.min(startByte - this.#givenBytes, piece.byteLength));
      const to = Math.min(endByte - this.#givenBytes, piece.byteLength);
      this.#rest = to < piece.byteLength ? piece.subarray(to) : undefined;
      this.#givenBytes += to;
      if (from < to) return this.#sent(piece.subarray(from, to));
    }
    return undefined;
  }

  #sent(bytes: Bytes): Bytes {
    this.#sentBytes += bytes.byteLength;
    this.#tell(bytes.byteLength);
    return bytes;
  }

  #tell(byBytes: number): void {
    if (byBytes === 0) return;
    this.#toldBytes += byBytes;
    this.#blob.onSent?.(byBytes);
  }
}

/** The source's own body, where it is sure to be as long as the blob. */
function nativeOf(opened: Answer<BlobStream>, { sizeBytes }: BlobToPush): NativeBody | undefined {
  if (opened.kind !== "found" || opened.startByte !== 0 || opened.sizeBytes !== sizeBytes) return undefined;
  return opened.takeNative?.();
}
