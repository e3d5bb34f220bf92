/** What an answer says about being asked less. */
export interface RateAdvice {
  /** How long it wants no further request; 0 when it said nothing of the kind. */
  readonly pauseMs: number;
}

/** No registry is left alone longer than this on its word alone: after it one request asks again. */
const longestPauseMs = 10 * 60_000;
/** For a 429 that names no time. */
const unnamedPauseMs = 10_000;

/**
 * Reads `Retry-After` (RFC 9110, 10.2.3) of a 429 or 503, and `RateLimit-Remaining: 0` with `RateLimit-Reset` in seconds. Docker
 * Hub's `76;w=21600` names a window, not an end: by itself it is no reason to wait.
 */
export function rateAdvice(status: number, headers: Headers, nowEpochMs: number): RateAdvice {
  const asked = status === 429 || status === 503 ? retryAfterMs(headers, nowEpochMs) : undefined;
  if (status === 429) return { pauseMs: Math.min(asked ?? resetMs(headers) ?? unnamedPauseMs, longestPauseMs) };
  if (asked !== undefined) return { pauseMs: Math.min(asked, longestPauseMs) };
  const isSpent = firstNumber(headers.get("ratelimit-remaining")) === 0;
  return { pauseMs: isSpent ? Math.min(resetMs(headers) ?? 0, longestPauseMs) : 0 };
}

/** `Retry-After` in milliseconds from now. A date counts from the answer's own `Date`, so that two clocks need not agree. */
function retryAfterMs(headers: Headers, nowEpochMs: number): number | undefined {
  const text = headers.get("retry-after")?.trim();
  if (text === undefined || text === "") return undefined;
  const seconds = firstNumber(text);
  if (seconds !== undefined) return seconds * 1000;
  const until = httpDate(text);
  if (until === undefined) return undefined;
  return Math.max(0, until - (httpDate(headers.get("date")) ?? nowEpochMs));
}

/** A date in the one form that may be sent (RFC 9110, 5.6.7), as milliseconds since 1970. */
function httpDate(text: string | null): number | undefined {
  if (text === null || !/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text)) return undefined;
  const epochMs = Date.parse(text);
  return Number.isNaN(epochMs) ? undefined : epochMs;
}

function resetMs(headers: Headers): number | undefined {
  const seconds = firstNumber(headers.get("ratelimit-reset"));
  return seconds === undefined ? undefined : seconds * 1000;
}

/** The whole number a header begins with, when nothing or a parameter follows it. */
function firstNumber(header: string | null): number | undefined {
  if (header === null) return undefined;
  const digits = /^\s*([0-9]{1,9})\s*(?:[;,]|$)/.exec(header)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
