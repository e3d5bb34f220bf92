const HEADER_END = "\r\n\r\n";
const LAST_CHUNK = "0\r\n\r\n";

/** One GET over a connection of its own. `bytesPerSecond` makes a slow reader; the pull is given up at `deadlineMs`. */
export interface PullSpec {
  readonly url: string;
  readonly deadlineMs: number;
  readonly bytesPerSecond?: number;
  readonly giveUpAfterBytes?: number;
}

/** What came of a pull. Times are from before the connection was opened; `firstByteMs` is that of the body. */
export interface PullResult {
  readonly status: number;
  readonly bodyBytes: number;
  readonly complete: boolean;
  readonly firstByteMs: number;
  readonly totalMs: number;
}

/** Reads and forgets a body, as cheaply as this runtime can: the load must not be what is measured. Never throws. */
export async function pull(spec: PullSpec): Promise<PullResult> {
  const reader = new Reader(spec);
  const url = new URL(spec.url);
  const ended = Promise.withResolvers<void>();
  const timer = setTimeout(ended.resolve, spec.deadlineMs);
  try {
    const socket = await Bun.connect({
      hostname: url.hostname,
      port: Number(url.port),
      socket: {
        open: (opened) => {
          opened.write(`GET ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\nAccept: */*\r\nConnection: close\r\n\r\n`);
        },
        data: (opened, bytes) => {
          reader.take(bytes);
          if (reader.done) ended.resolve();
          else hold(opened, reader.aheadMs());
        },
        close: () => ended.resolve(),
        error: () => ended.resolve(),
      },
    });
    await ended.promise;
    socket.terminate();
  } catch {
    // Refused: a pull that got nothing.
  }
  clearTimeout(timer);
  return reader.result();
}

function hold(socket: Bun.Socket, pauseMs: number): void {
  if (pauseMs <= 0) return;
  socket.pause();
  setTimeout(() => socket.resume(), pauseMs);
}

class Reader {
  readonly #spec: PullSpec;
  readonly #startedAt = performance.now();
  #head: Buffer = Buffer.alloc(0);
  #inBody = false;
  #status = 0;
  #lengthBytes = Number.POSITIVE_INFINITY;
  #bodyBytes = 0;
  #firstByteMs = Number.POSITIVE_INFINITY;
  #tail = "";

  constructor(spec: PullSpec) {
    this.#spec = spec;
  }

  take(bytes: Uint8Array): void {
    if (this.#inBody) this.#takeBody(bytes);
    else this.#takeHead(bytes);
  }

  get done(): boolean {
    return this.#complete() || this.#bodyBytes >= (this.#spec.giveUpAfterBytes ?? Number.POSITIVE_INFINITY);
  }

  /** How long to wait until the bytes that have come are due. */
  aheadMs(): number {
    if (this.#spec.bytesPerSecond === undefined) return 0;
    return (this.#bodyBytes / this.#spec.bytesPerSecond) * 1000 - this.#elapsedMs();
  }

  result(): PullResult {
    return {
      status: this.#status,
      bodyBytes: this.#bodyBytes,
      complete: this.#complete(),
      firstByteMs: Math.min(this.#firstByteMs, this.#elapsedMs()),
      totalMs: this.#elapsedMs(),
    };
  }

  /** Only the head becomes text: what has come with it may be much. */
  #takeHead(bytes: Uint8Array): void {
    const all =
      this.#head.length === 0
        ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
        : Buffer.concat([this.#head, bytes]);
    const end = all.indexOf(HEADER_END);
    if (end < 0) {
      this.#head = Buffer.from(all);
      return;
    }
    const rest = all.subarray(end + HEADER_END.length);
    const head = all.toString("latin1", 0, end);
    this.#head = Buffer.alloc(0);
    this.#inBody = true;
    this.#status = Number(head.split(" ")[1]);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (length !== undefined) this.#lengthBytes = Number(length);
    if (rest.length > 0) this.#takeBody(rest);
  }

  #takeBody(bytes: Uint8Array): void {
    this.#firstByteMs = Math.min(this.#firstByteMs, this.#elapsedMs());
    this.#bodyBytes += bytes.length;
    if (!Number.isFinite(this.#lengthBytes)) {
      this.#tail = (this.#tail + Buffer.from(bytes.subarray(-LAST_CHUNK.length)).toString("latin1")).slice(
        -LAST_CHUNK.length,
      );
    }
  }

  /** By its length, or by the last chunk of a chunked body (whose framing is counted with it). */
  #complete(): boolean {
    if (!this.#inBody) return false;
    return this.#bodyBytes >= this.#lengthBytes || this.#tail === LAST_CHUNK;
  }

  #elapsedMs(): number {
    return performance.now() - this.#startedAt;
  }
}
