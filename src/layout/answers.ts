import { Failure } from "../errors/failure.ts";
import type { Absent, Unavailable, UnavailableReason } from "../registry/remote.ts";

/** It is not there. */
export const absent: Absent = { kind: "absent" };

/** An answer that is no knowledge: a file could not be read or written, or what is in it is not what it should be. */
export function unavailable(reason: UnavailableReason, message: string): Unavailable {
  return { kind: "unavailable", reason, message, status: undefined, retryAfterMs: undefined };
}

/** What a call answers whose signal has ended it. */
export function cancelled(asked: string): Unavailable {
  return unavailable("cancelled", `${asked}: it was no longer wanted`);
}

/** What was thrown while files were read or written, as an answer. */
function unavailableBy(error: unknown, asked: string): Unavailable {
  const reason = error instanceof Error ? error.message : String(error);
  const isWrong = error instanceof Failure && error.code === "DIGEST_INVALID";
  return unavailable(isWrong ? "wrong-bytes" : "failed", `${asked}: ${reason}`);
}

/** Runs what reads or writes files for a call; what it throws becomes the answer, and the signal's end as well. */
export async function answering<T>(
  asked: string,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T | Unavailable> {
  if (signal.aborted) return cancelled(asked);
  try {
    return await work();
  } catch (error) {
    return signal.aborted ? cancelled(asked) : unavailableBy(error, asked);
  }
}
