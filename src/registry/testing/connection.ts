import type { Socket } from "bun";
import { formatHead, type ParsedHead, parseHead, type RecordedRequest, requestFrom } from "./http-wire.ts";
import type { Intake, ScriptedReply } from "./scripted-reply.ts";

/** What answers the requests of one connection. */
export interface Responder {
  /** How the body of a request is taken whose head has come; `undefined`: whole. */
  intake(head: ParsedHead["head"]): Intake | undefined;
  respond(request: RecordedRequest): Promise<ScriptedReply>;
}

/** The server's end of one client's connection. Requests are answered one after the other; writing waits for a slow reader. */
export class Connection {
  readonly #socket: Socket<unknown>;
  readonly #responder: Responder;
  #unread: Buffer = Buffer.alloc(0);
  /** What came since `#unread` was last put together. */
  #came: Uint8Array[] = [];
  #cameBytes = 0;
  #wantedBytes = 0;
  #current: { readonly parsed: ParsedHead; readonly intake: Intake | undefined } | undefined;
  #isAnswering = false;
  #isClosed = false;
  #writable: PromiseWithResolvers<void> = Promise.withResolvers<void>();

  constructor(socket: Socket<unknown>, responder: Responder) {
    this.#socket = socket;
    this.#responder = responder;
  }

  /** Takes what came over the socket. */
  received(bytes: Uint8Array): void {
    this.#came.push(Buffer.from(bytes));
    this.#cameBytes += bytes.length;
    if (this.#unread.length + this.#cameBytes < this.#wantedBytes) return;
    this.#unread = Buffer.concat([this.#unread, ...this.#came]);
    this.#came = [];
    this.#cameBytes = 0;
    void this.#answerAll();
  }

  /** The socket takes more to write. */
  drained(): void {
    this.#writable.resolve();
  }

  /** The socket is gone. */
  closed(): void {
    this.#isClosed = true;
    this.#writable.resolve();
  }

  async #answerAll(): Promise<void> {
    if (this.#isAnswering) return;
    this.#isAnswering = true;
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const reply = await this.#responder.respond(next.request);
      const { intake } = next;
      if (intake?.kind === "cut") await this.#cutOff(intake.by);
      else if (intake?.kind === "stall") this.#socket.pause();
      else await this.#send(next.request, reply);
    }
    this.#isAnswering = false;
  }

  /** The next request that has come as far as it is to be taken. */
  #next(): { readonly request: RecordedRequest; readonly intake: Intake | undefined } | undefined {
    if (this.#isClosed) return undefined;
    const parsed = this.#current?.parsed ?? parseHead(this.#unread);
    this.#wantedBytes = 0;
    if (parsed === undefined) return undefined;
    const intake = this.#current === undefined ? this.#responder.intake(parsed.head) : this.#current.intake;
    this.#current = { parsed, intake };
    const endBytes = parsed.headBytes + Math.min(parsed.bodyBytes, intake?.atBytes ?? parsed.bodyBytes);
    this.#wantedBytes = endBytes;
    if (this.#unread.length < endBytes) return undefined;
    const request = requestFrom(parsed, this.#unread.subarray(parsed.headBytes, endBytes));
    this.#unread = this.#unread.subarray(endBytes);
    this.#wantedBytes = 0;
    this.#current = undefined;
    return { request, intake };
  }

  async #send(request: RecordedRequest, reply: ScriptedReply): Promise<void> {
    const { hold, cut } = reply;
    const whole = Buffer.from(reply.body ?? "");
    const body = request.method === "HEAD" ? whole.subarray(0, 0) : whole;
    if (hold?.at === "head") await hold.until;
    if (cut?.at === "head") return await this.#cutOff(cut.by);
    await this.#write(Buffer.from(formatHead(reply.status ?? 200, headersOf(reply, whole.length))));
    const end = Math.min(cut?.at ?? body.length, body.length);
    const held = typeof hold?.at === "number" ? Math.min(hold.at, end) : end;
    await this.#write(framed(reply, body.subarray(0, held)));
    if (held < end) await hold?.until;
    await this.#write(framed(reply, body.subarray(held, end)));
    if (cut !== undefined) return await this.#cutOff(cut.by);
    if (reply.length === "chunked" && request.method !== "HEAD") await this.#write(Buffer.from("0\r\n\r\n"));
    if (reply.length === "close") this.#socket.end();
  }

  async #write(bytes: Uint8Array): Promise<void> {
    let offset = 0;
    while (offset < bytes.length && !this.#isClosed) {
      this.#writable = Promise.withResolvers<void>();
      const written = this.#socket.write(bytes, offset, bytes.length - offset);
      if (written < 0) return;
      offset += written;
      if (offset < bytes.length) await this.#writable.promise;
    }
  }

  /** A reset overtakes what is still in the socket's buffer, so what was written first goes out in a turn of its own. */
  async #cutOff(by: "fin" | "rst"): Promise<void> {
    if (by === "fin") {
      this.#socket.end();
      return;
    }
    await new Promise((resolve) => setImmediate(resolve));
    this.#socket.terminate();
  }
}

function headersOf(reply: ScriptedReply, lengthBytes: number): readonly (readonly [string, string])[] {
  const headers = Object.entries(reply.headers ?? {});
  switch (reply.length) {
    case "chunked":
      return [...headers, ["Transfer-Encoding", "chunked"]];
    case "close":
      return [...headers, ["Connection", "close"]];
    default:
      return [...headers, ["Content-Length", String(reply.length ?? lengthBytes)]];
  }
}

function framed(reply: ScriptedReply, part: Buffer): Uint8Array {
  if (reply.length !== "chunked" || part.length === 0) return part;
  return Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from("\r\n")]);
}
