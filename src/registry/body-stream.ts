import { Failure } from "../errors/failure.ts";
import type { Clock } from "./clock.ts";
import { networkFault } from "./network-error.ts";

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

/**
 * A body handed on as it comes, with nothing read ahead. A cut, a stall or the signal's end is an error for the reader: a
 * `Failure`, UPSTREAM_TIMEOUT for a stall and UPSTREAM_FAILED for the rest.
 */
export function streamBody(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  options: BodyStreamOptions,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const { signal, host } = options;
  const reader = body.getReader();
  const watch = createWatch(options);
  let isOver = false;

  function over(): void {
    if (isOver) return;
    isOver = true;
    signal.removeEventListener("abort", onAbort);
    watch.stop();
    options.onEnd();
  }
  function fail(failure: Failure, controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>): void {
    if (isOver) return;
    over();
    controller.error(failure);
    reader.cancel(failure).catch(() => {});
  }
  let onAbort = (): void => {};

  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      start(controller) {
        onAbort = () => fail(noLongerWanted(host), controller);
        watch.onStall = () => fail(stalled(options), controller);
        signal.addEventListener("abort", onAbort, { once: true });
        if (signal.aborted) onAbort();
      },
      async pull(controller) {
        watch.begin();
        try {
          const { done, value } = await reader.read();
          watch.pause();
          if (isOver) return;
          if (!done) return controller.enqueue(value);
          over();
          controller.close();
        } catch (error) {
          fail(broken(host, error), controller);
        }
      },
      async cancel(reason) {
        over();
        await reader.cancel(reason).catch(() => {});
      },
    },
    { highWaterMark: 0 },
  );
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
