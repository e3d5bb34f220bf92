import { Failure } from "../errors/failure.ts";
import type { Clock } from "./clock.ts";
import { networkFault } from "./network-error.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** What a body on its way needs: who sends it (for messages), its end by signal, and what to do once it is over. */
export interface BodyStreamOptions {
  readonly host: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** How long a reader is kept waiting for the next bytes. Time in which nobody reads does not count. */
  readonly idleMs: number;
  /** Called once: at the end, on an error, when the reader cancels, or when the signal ends it unread. */
  readonly onEnd: () => void;
}

/** A body on its way that may be taken as it is instead. */
export interface WatchedBody {
  readonly stream: ReadableStream<Bytes>;
  /**
   * The body itself, once, while nothing of the stream was read and it has not ended: from then on nothing is watched, the stream
   * is closed, and the end of it all is its taker's to tell.
   */
  take(): ReadableStream<Bytes> | undefined;
}

/**
 * A body handed on as it comes, with nothing read ahead. A cut, a stall or the signal's end is an error for the reader: a
 * `Failure`, UPSTREAM_TIMEOUT for a stall and UPSTREAM_FAILED for the rest.
 */
export function streamBody(body: ReadableStream<Bytes>, options: BodyStreamOptions): ReadableStream<Bytes> {
  const watched = new BodyOnItsWay(body, options);
  // The runtime drops what has come of a body that nobody has begun to read when it breaks.
  watched.begin();
  return watched.stream;
}

/** The same, for who may want the body as it is. */
export function watchBody(body: ReadableStream<Bytes>, options: BodyStreamOptions): WatchedBody {
  return new BodyOnItsWay(body, options);
}

class BodyOnItsWay implements WatchedBody {
  readonly stream: ReadableStream<Bytes>;
  readonly #body: ReadableStream<Bytes>;
  readonly #options: BodyStreamOptions;
  readonly #watch: Watch;
  readonly #onAbort = (): void => this.#fail(noLongerWanted(this.#options.host));
  #reader: ReadableStreamDefaultReader<Bytes> | undefined;
  #controller: ReadableStreamDefaultController<Bytes> | undefined;
  #isOver = false;

  constructor(body: ReadableStream<Bytes>, options: BodyStreamOptions) {
    this.#body = body;
    this.#options = options;
    this.#watch = createWatch(options);
    this.#watch.onStall = () => this.#fail(stalled(options));
    const source = {
      start: (controller: ReadableStreamDefaultController<Bytes>) => this.#start(controller),
      pull: (controller: ReadableStreamDefaultController<Bytes>) => this.#pull(controller),
      cancel: (reason: unknown) => this.#cancel(reason),
    };
    this.stream = new ReadableStream<Bytes>(source, { highWaterMark: 0 });
  }

  /** Holds the body, so that nothing of it is lost. */
  begin(): void {
    this.#read();
  }

  take(): ReadableStream<Bytes> | undefined {
    if (this.#isOver || this.#reader !== undefined) return undefined;
    this.#detach();
    this.#controller?.close();
    return this.#body;
  }

  #start(controller: ReadableStreamDefaultController<Bytes>): void {
    const { signal } = this.#options;
    this.#controller = controller;
    signal.addEventListener("abort", this.#onAbort, { once: true });
    if (signal.aborted) this.#onAbort();
  }

  async #pull(controller: ReadableStreamDefaultController<Bytes>): Promise<void> {
    this.#watch.begin();
    try {
      const { done, value } = await this.#read().read();
      this.#watch.pause();
      if (this.#isOver) return;
      if (!done) return controller.enqueue(value);
      this.#end();
      controller.close();
    } catch (error) {
      this.#fail(broken(this.#options.host, error));
    }
  }

  async #cancel(reason: unknown): Promise<void> {
    this.#end();
    await this.#read()
      .cancel(reason)
      .catch(() => {});
  }

  #read(): ReadableStreamDefaultReader<Bytes> {
    this.#reader ??= this.#body.getReader();
    return this.#reader;
  }

  #fail(failure: Failure): void {
    if (this.#isOver) return;
    this.#end();
    this.#controller?.error(failure);
    this.#read()
      .cancel(failure)
      .catch(() => {});
  }

  #end(): void {
    if (this.#isOver) return;
    this.#detach();
    this.#options.onEnd();
  }

  #detach(): void {
    this.#isOver = true;
    this.#options.signal.removeEventListener("abort", this.#onAbort);
    this.#watch.stop();
  }
}

interface Watch {
  onStall: () => void;
  begin(): void;
  pause(): void;
  stop(): void;
}

/** Notices a read that takes too long, with one timer for many reads: it looks, when due, how long the present one has waited. */
function createWatch({ clock, idleMs }: BodyStreamOptions): Watch {
  let waitingSinceMs: number | undefined;
  let cancelTimer: (() => void) | undefined;
  function look(): void {
    cancelTimer = undefined;
    if (waitingSinceMs === undefined) return;
    const leftMs = waitingSinceMs + idleMs - clock.nowMs();
    if (leftMs <= 0) watch.onStall();
    else cancelTimer = clock.schedule(leftMs, look);
  }
  const watch: Watch = {
    onStall: () => {},
    begin() {
      waitingSinceMs = clock.nowMs();
      cancelTimer ??= clock.schedule(idleMs, look);
    },
    pause() {
      waitingSinceMs = undefined;
    },
    stop() {
      waitingSinceMs = undefined;
      cancelTimer?.();
    },
  };
  return watch;
}

function noLongerWanted(host: string): Failure {
  return new Failure({ code: "UPSTREAM_FAILED", message: `the transfer from ${host} was no longer wanted` });
}

function stalled({ host, idleMs }: BodyStreamOptions): Failure {
  const message = `${host} sent nothing for ${Math.round(idleMs / 1000)} s in the middle of a transfer`;
  return new Failure({ code: "UPSTREAM_TIMEOUT", message });
}

function broken(host: string, cause: unknown): Failure {
  return new Failure({ code: "UPSTREAM_FAILED", message: networkFault(host, cause).message, cause });
}
