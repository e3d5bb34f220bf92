import { writeSync } from "node:fs";

const flushMs = 200;
const flushBytes = 64 * 1024;

/** Gathers lines and writes them to a descriptor together: a write a request would cost more than the request. */
export class LineSink {
  readonly #descriptor: number;
  #pending = "";
  #timer: Timer | undefined;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  write(line: string): void {
    this.#pending += `${line}\n`;
    if (this.#pending.length > flushBytes) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), flushMs);
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const bytes = Buffer.from(this.#pending);
    this.#pending = "";
    for (let done = 0; done < bytes.byteLength; ) {
      try {
        done += writeSync(this.#descriptor, bytes, done);
      } catch (error) {
        // A full pipe is waited out; a closed one has no reader to tell.
        if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) return;
      }
    }
  }
}
