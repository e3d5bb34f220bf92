import type { Socket } from "bun";

/** One answer as it came over the wire. Header names are in lower case; a repeated one is joined by ", ". */
export interface RawAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  /** False when the connection ended before the answer's own framing said that it was over. */
  readonly isWhole: boolean;
}

/** How the other side ended a connection: in good manners, or by a reset. */
export type End = "fin" | "rst";

interface Framed {
  readonly parts: readonly Buffer[];
  /** Where the next answer begins; absent while the body goes on. */
  readonly endByte: number | undefined;
}

/** A client that sends exactly the bytes it is given and reads answers by their framing (RFC 9112, 6), as strictly as any. */
export class RawConnection {
  readonly ended: Promise<End>;
  #buffer: Buffer = Buffer.alloc(64 * 1024);
  #startByte = 0;
  #endByte = 0;
  #end: End | undefined;
  #socket: Socket<unknown> | undefined;
  #news: PromiseWithResolvers<void> = Promise.withResolvers();
  readonly #resolveEnd: (end: End) => void;

  private constructor() {
    const { promise, resolve } = Promise.withResolvers<End>();
    this.ended = promise;
    this.#resolveEnd = resolve;
  }

  /** Connects to a port of 127.0.0.1, over TLS when an authority is given. */
  static async open(port: number, ca?: string): Promise<RawConnection> {
    const connection = new RawConnection();
    const ready = Promise.withResolvers<void>();
    connection.#socket = await Bun.connect({
      hostname: "127.0.0.1",
      port,
      ...(ca === undefined ? {} : { tls: { ca, serverName: "localhost" } }),
      socket: {
        open: () => (ca === undefined ? ready.resolve() : undefined),
        handshake: (_, isGood, error) => (isGood ? ready.resolve() : ready.reject(error)),
        data: (_, bytes) => connection.#received(bytes),
        close: (_, error) => {
          ready.reject(new Error("the connection ended before it was ready"));
          connection.#over(error === undefined || error === null ? "fin" : "rst");
        },
        error: () => connection.#over("rst"),
      },
    });
    await ready.promise;
    return connection;
  }

  /** Bytes that came and belong to no answer yet. */
  get unread(): Buffer {
    return this.#buffer.subarray(this.#startByte, this.#endByte);
  }

  /** Sends text as Latin-1. */
  send(text: string): void {
    this.#socket?.write(Buffer.from(text, "latin1"));
  }

  /** Reads no more from the socket until `resume`. */
  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  /** The next answer, waited for. Throws when the connection ended before one began. */
  async answer(method = "GET"): Promise<RawAnswer> {
    for (;;) {
      const headEnd = this.unread.indexOf("\r\n\r\n");
      const framed = headEnd < 0 ? undefined : this.#framed(method, headEnd);
      if (framed?.endByte !== undefined) return this.#take(headEnd, framed.endByte, framed.parts, true);
      if (this.#end !== undefined) {
        if (framed === undefined) throw new Error(`the connection ended (${this.#end}) without an answer`);
        const isWhole = this.#end === "fin" && isUntilClose(this.#head(headEnd).headers);
        return this.#take(headEnd, this.unread.length, framed.parts, isWhole);
      }
      await this.#news.promise;
    }
  }

  /** Resolves when more has come, or nothing will. */
  async more(): Promise<void> {
    if (this.#end === undefined) await this.#news.promise;
  }

  close(): void {
    this.#socket?.terminate();
  }

  #received(bytes: Uint8Array): void {
    const neededBytes = this.#endByte + bytes.length;
    if (neededBytes > this.#buffer.length) {
      const unread = this.unread;
      this.#buffer = Buffer.alloc(2 * (unread.length + bytes.length));
      unread.copy(this.#buffer);
      [this.#startByte, this.#endByte] = [0, unread.length];
    }
    this.#buffer.set(bytes, this.#endByte);
    this.#endByte += bytes.length;
    this.#tell();
  }

  #over(end: End): void {
    this.#end ??= end;
    this.#resolveEnd(this.#end);
    this.#tell();
  }

  #tell(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }

  #head(headEnd: number): Pick<RawAnswer, "status" | "headers"> {
    const [statusLine = "", ...lines] = this.unread.toString("latin1", 0, headEnd).split("\r\n");
    const headers = new Map<string, string>();
    for (const line of lines) {
      const colon = line.indexOf(":");
      const name = line.slice(0, colon).toLowerCase();
      const before = headers.get(name);
      const value = line.slice(colon + 1).trim();
      headers.set(name, before === undefined ? value : `${before}, ${value}`);
    }
    return { status: Number(statusLine.split(" ")[1]), headers };
  }

  #framed(method: string, headEnd: number): Framed {
    const { status, headers } = this.#head(headEnd);
    const start = headEnd + 4;
    const length = headers.get("content-length");
    if (method === "HEAD" || status === 304) return { parts: [], endByte: start };
    if (headers.get("transfer-encoding") === "chunked") return dechunked(this.unread, start);
    const end = length === undefined ? Number.POSITIVE_INFINITY : start + Number(length);
    return { parts: [this.unread.subarray(start, end)], endByte: end <= this.unread.length ? end : undefined };
  }

  #take(headEnd: number, endByte: number, parts: readonly Buffer[], isWhole: boolean): RawAnswer {
    const head = this.#head(headEnd);
    const body = Buffer.concat(parts);
    this.#startByte += endByte;
    return { ...head, body, isWhole };
  }
}

function isUntilClose(headers: ReadonlyMap<string, string>): boolean {
  return !headers.has("content-length") && !headers.has("transfer-encoding");
}

function dechunked(bytes: Buffer, start: number): Framed {
  const parts: Buffer[] = [];
  for (let at = start; ; ) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd < 0) return { parts, endByte: undefined };
    const size = Number.parseInt(bytes.toString("latin1", at, lineEnd), 16);
    const partStart = lineEnd + 2;
    const isThere = bytes.length >= partStart + size + 2;
    if (size === 0) return { parts, endByte: isThere ? partStart + 2 : undefined };
    parts.push(bytes.subarray(partStart, partStart + size));
    if (!isThere) return { parts, endByte: undefined };
    at = partStart + size + 2;
  }
}

/** A request without a body, as text. */
export function requestText(method: string, target: string, headers: readonly string[] = ["Host: cache.test"]): string {
  return `${method} ${target} HTTP/1.1\r\n${headers.map((header) => `${header}\r\n`).join("")}\r\n`;
}

/** One request on a connection of its own. */
export async function rawAsk(port: number, method: string, target: string): Promise<RawAnswer> {
  const connection = await RawConnection.open(port);
  connection.send(requestText(method, target));
  const answer = await connection.answer(method);
  connection.close();
  return answer;
}
