import type { LogFormat } from "../config/settings.ts";

/** What handlers note about a request, for its one record. */
export interface Notes {
  decision: string;
  rule?: string;
  upstream?: string;
  repository?: string;
  reference?: string;
  /** Where the bytes came from: hit, miss, joined, revalidated, stale; or the redirect's target. */
  origin?: string;
  client?: string;
  user?: string;
  error?: string;
}

/** Everything a record says beside the notes. */
export interface Exchange {
  readonly request: Request;
  readonly path: string;
  readonly response: Response;
  /** Until the answer began. */
  readonly durationMs: number;
  readonly atMs: number;
}

/** Writes one access record a request, in one place. */
export interface AccessLog {
  readonly isOff: boolean;
  write(exchange: Exchange, notes: Notes): void;
}

/** An access log to a line sink, as JSON or as text for people. */
export function accessLog(format: LogFormat, writeLine: (line: string) => void): AccessLog {
  switch (format) {
    case "off":
      return { isOff: true, write: () => undefined };
    case "json":
      return { isOff: false, write: (exchange, notes) => writeLine(jsonRecord(exchange, notes)) };
    case "text":
      return { isOff: false, write: (exchange, notes) => writeLine(textRecord(exchange, notes)) };
  }
}

function jsonRecord({ request, path, response, durationMs, atMs }: Exchange, notes: Notes): string {
  const length = response.headers.get("content-length");
  return JSON.stringify({
    time: new Date(atMs).toISOString(),
    method: request.method,
    path,
    status: response.status,
    ms: Math.round(durationMs * 100) / 100,
    size: length === null ? undefined : Number(length),
    ...notes,
    agent: request.headers.get("user-agent")?.slice(0, 200),
  });
}

function textRecord({ request, path, response, durationMs, atMs }: Exchange, notes: Notes): string {
  const time = new Date(atMs).toISOString().slice(11, 23);
  const what = [notes.decision, notes.origin, notes.upstream, notes.error]
    .filter((part) => part !== undefined)
    .join(" ");
  const line = `${time} ${response.status} ${request.method} ${path} ${durationMs.toFixed(1)}ms ${what}`;
  return line.replaceAll(/\p{Cc}|\p{Zl}|\p{Zp}/gu, " ");
}
