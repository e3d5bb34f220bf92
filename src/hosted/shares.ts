import type { Body } from "./session.ts";

/** What a body may take before everything else that is ready has its turn. */
const shareBytes = 512 * 1024;
/** The same for the one that began first. */
const firstShareBytes = 8 * 1024 * 1024;

/**
 * Bodies that come in at once share the thread. Each lets everything else go on after its share; without that the runtime takes
 * megabytes from each connection before it looks at another, and a small request waits for all of them. The one that began first
 * has a larger share, so that bodies end one after the other: the disk syncs one, and its client goes on, while the others' bytes
 * come. One that is slow takes nothing from the others.
 */
export class Shares {
  readonly #running = new Set<Body>();

  /** The same bytes, in shares. */
  async *of(body: Body): AsyncGenerator<Uint8Array<ArrayBuffer>, void, void> {
    this.#running.add(body);
    let takenBytes = 0;
    try {
      for await (const bytes of body) {
        yield bytes;
        takenBytes += bytes.byteLength;
        if (takenBytes < this.#shareOf(body)) continue;
        takenBytes = 0;
        await everythingElse();
      }
    } finally {
      this.#running.delete(body);
    }
  }

  #shareOf(body: Body): number {
    const [first] = this.#running;
    return body === first ? firstShareBytes : shareBytes;
  }
}

function everythingElse(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
