import { Worker } from "node:worker_threads";
import { Failure } from "../../errors/failure.ts";
import type { Write, WriteOptions, WriteReply, WriteRequest } from "./statements.ts";

interface Waiting {
  readonly resolve: (refusedAt: number | undefined) => void;
  readonly reject: (failure: Failure) => void;
}

/** Sends writes to the writer's thread and waits for its word. */
export class WriteQueue {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #broken: Failure | undefined;

  constructor(databaseFile: string) {
    this.#worker = new Worker(writerUrl(import.meta.url));
    this.#worker.on("message", (reply: WriteReply) => this.#settle(reply));
    this.#worker.on("error", (error) => this.#break(String(error)));
    this.#worker.postMessage({ open: databaseFile });
    this.#worker.unref();
  }

  /** Applies the writes in one transaction. Throws `STORAGE_FAILED`; then none of them was applied. */
  async run(writes: readonly Write[]): Promise<void> {
    await this.#send(writes, {});
  }

  /**
   * Applies the writes in one transaction that is on the disk when it resolves, if each of the first `guards` changes something.
   * The place of the one that did not, `undefined` when all was applied. Throws `STORAGE_FAILED`.
   */
  runGuarded(writes: readonly Write[], guards: number): Promise<number | undefined> {
    return this.#send(writes, { guards, isDurable: true });
  }

  #send(writes: readonly Write[], options: WriteOptions): Promise<number | undefined> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.ref();
      this.#worker.postMessage({ id, writes, ...options } satisfies WriteRequest);
    });
  }

  async close(): Promise<void> {
    while (this.#waiting.size > 0) await this.run([]).catch(() => undefined);
    this.#broken ??= storageFailure("it is closed");
    await this.#worker.terminate();
  }

  #settle({ id, error, refusedAt }: WriteReply): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) this.#worker.unref();
    if (error === undefined) waiting?.resolve(refusedAt);
    else waiting?.reject(storageFailure(error));
  }

  #break(message: string): void {
    this.#broken = storageFailure(message);
    for (const waiting of this.#waiting.values()) waiting.reject(this.#broken);
    this.#waiting.clear();
  }
}

/** The writer's module beside this one; in the single binary, where modules are bundled, its entry from the root of `src`. */
function writerUrl(here: string): URL {
  return new URL(here.includes("/$bunfs/") ? "./store/sqlite/writer.js" : "./writer.ts", here);
}

function storageFailure(reason: string): Failure {
  return new Failure({ code: "STORAGE_FAILED", message: `the index could not be written: ${reason}` });
}
