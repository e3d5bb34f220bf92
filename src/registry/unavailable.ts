import type { Answer, Unavailable, UnavailableReason } from "./remote.ts";

/** What may be known beside the reason. */
export interface UnavailableFacts {
  readonly status?: number;
  readonly retryAfterMs?: number;
  readonly code?: string;
}

/** An answer that is no knowledge. The message is half a sentence that `askedFor` completes. */
export function unavailable(reason: UnavailableReason, message: string, facts: UnavailableFacts = {}): Unavailable {
  const { status, retryAfterMs, code } = facts;
  const answer = { kind: "unavailable", reason, message, status, retryAfterMs } as const;
  return code === undefined ? answer : { ...answer, code };
}

/** The same answer with what was asked put before its message. */
export function askedFor(asked: string, answer: Unavailable): Unavailable {
  return { ...answer, message: `${asked}: ${answer.message}` };
}

/** Any answer, with what was asked put before its message if it is no knowledge. */
export function explained<T>(asked: string, answer: Answer<T>): Answer<T> {
  return answer.kind === "unavailable" ? askedFor(asked, answer) : answer;
}
