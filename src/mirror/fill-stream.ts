import { algorithmOf, digestFrom } from "../reference/digest.ts";
import { Failure } from "../errors/failure.ts";
import { download } from "./download.ts";
import type { Fill } from "./fill.ts";

/**
 * The first piece of each client is small: of many who come at once all have their first bytes before anybody has many. Only the
 * first, and without a pause after it: whose start takes longer falls behind the head and reads from the file, which costs memory.
 */
const firstPieceBytes = 16 * 1024;
const fullPieceBytes = 256 * 1024;

/** Part of a blob, as a half-open range of bytes; `endByte` absent means to the end. */
export interface Span {
  readonly startByte: number;
  readonly endByte: number | undefined;
}

/**
 * A client's view of a fill: the bytes of `span`, behind the write head, at the client's own pace and with one piece in
 * memory. It errors, so that the connection breaks, when the fill fails: by what `reasonOf` makes of the failure.
 */
export function fillStream(
  fill: Fill,
  span: Span,
  reasonOf: (failure: unknown) => unknown,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = new FillReader(fill, span, reasonOf);
  // Entered now and not at the first pull: the fill may be over before then.
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      pull: (controller) => reader.pull(controller),
      cancel: () => reader.leave(),
    },
    { highWaterMark: 0 },
  );
}

class FillReader {
  readonly #fill: Fill;
  readonly #endByte: number;
  readonly #reasonOf: (failure: unknown) => unknown;
  #offset: number;
  #pieceBytes = firstPieceBytes;
  /** Set when the fill can no longer give what comes next: our own download of the rest. */
  #rest: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>> | undefined;

  constructor(fill: Fill, span: Span, reasonOf: (failure: unknown) => unknown) {
    this.#fill = fill;
    this.#reasonOf = reasonOf;
    this.#offset = span.startByte;
    this.#endByte = span.endByte ?? Number.POSITIVE_INFINITY;
    fill.enter(this, this.#offset);
  }

  async leave(): Promise<void> {
    // One that broke by itself cannot be cancelled any more.
    await this.#rest?.cancel().catch(() => undefined);
    await this.#fill.leave(this);
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>): Promise<void> {
    try {
      const bytes = this.#offset >= this.#endByte ? undefined : await this.#next();
      if (bytes === undefined) {
        await this.leave();
        controller.close();
        return;
      }
      const wanted = bytes.subarray(0, this.#endByte - this.#offset);
      this.#offset += wanted.byteLength;
      controller.enqueue(wanted);
    } catch (error) {
      await this.leave();
      controller.error(this.#reasonOf(error));
    }
  }

  async #next(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (this.#rest !== undefined) return (await this.#rest.read()).value;
    const read = await this.#fill.read(this, this.#offset, this.#pieceBytes);
    this.#pieceBytes = fullPieceBytes;
    if (read.kind === "bytes") return read.bytes;
    if (read.kind === "end") return undefined;
    this.#rest = restStream(this.#fill, this.#offset, read.keptBytes).getReader();
    return (await this.#rest.read()).value;
  }
}

/**
 * The rest of a blob by a download of its own, for a client that lags while the disk is full. It is hashed on from what
 * the disk holds, and its last piece is withheld until the digest has matched, as everywhere.
 */
function restStream(fill: Fill, offset: number, keptBytes: number): ReadableStream<Uint8Array<ArrayBuffer>> {
  const stop = new AbortController();
  const { readable, writable } = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>();
  const writer = writable.getWriter();
  const source = { ...fill.source, stop };
  const run = async (): Promise<void> => {
    const hasher = await hashWritten(fill, keptBytes);
    const { registry, place, digest, limits } = source;
    const range = { startByte: keptBytes, endByte: undefined };
    const first = await registry.getBlob(place.repository, digest, range, {
      signal: stop.signal,
      timeoutMs: limits.headersMs,
    });
    if (first.kind !== "found")
      throw lostFailure(fill, first.kind === "absent" ? "it has it not any more" : first.message);
    let position = keptBytes;
    let withheld: Uint8Array<ArrayBuffer> = new Uint8Array(0);
    const end = await download(source, first, keptBytes, async (bytes) => {
      hasher.update(bytes);
      const skip = Math.max(0, Math.min(bytes.byteLength, offset - position));
      position += bytes.byteLength;
      if (withheld.byteLength > 0) await writer.write(withheld);
      withheld = bytes.subarray(skip);
    });
    if (end.kind === "unavailable") throw lostFailure(fill, end.message);
    if (digestFrom(algorithmOf(digest), hasher.digest("hex")) !== digest)
      throw lostFailure(fill, "it sent other bytes");
    if (withheld.byteLength > 0) await writer.write(withheld);
    await writer.close();
  };
  run().catch((error: unknown) => {
    stop.abort();
    writer.abort(error).catch(() => undefined);
  });
  return readable;
}

/** The hash of what is on disk from the start up to `endByte`. */
async function hashWritten(fill: Fill, endByte: number): Promise<Bun.CryptoHasher> {
  const hasher = new Bun.CryptoHasher(algorithmOf(fill.digest));
  for (let offset = 0; offset < endByte; ) {
    const bytes = await fill.readWritten(offset, endByte - offset);
    if (bytes === undefined || bytes.byteLength === 0) throw lostFailure(fill, "what was kept cannot be read back");
    hasher.update(bytes);
    offset += bytes.byteLength;
  }
  return hasher;
}

function lostFailure({ source }: Fill, reason: string): Failure {
  const message = `${source.place.upstream} was asked again for ${source.digest} because the disk is full: ${reason}`;
  return new Failure({ code: "UPSTREAM_FAILED", message });
}
