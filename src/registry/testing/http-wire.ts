/** One request as it arrived, whole. Header names are in lower case; a repeated one is joined by ", ". */
export interface RecordedRequest {
  readonly method: string;
  /** Path and query, as sent. */
  readonly target: string;
  /** The path alone. */
  readonly path: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  /** The same body as it came. */
  readonly bytes: Buffer;
}

/** A request's head, and the lengths of it and of its body. */
export interface ParsedHead {
  readonly head: Omit<RecordedRequest, "body" | "bytes">;
  readonly headBytes: number;
  readonly bodyBytes: number;
}

/** Reads the head of one HTTP/1.1 request; `undefined` until all of it is there. */
export function parseHead(bytes: Buffer): ParsedHead | undefined {
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd < 0) return undefined;
  const [requestLine = "", ...lines] = bytes.toString("latin1", 0, headEnd).split("\r\n");
  const [method = "", target = ""] = requestLine.split(" ");
  const headers = parseHeaders(lines);
  const path = target.split("?", 1)[0] ?? "";
  const bodyBytes = Number(headers.get("content-length") ?? 0);
  return { head: { method, target, path, headers }, headBytes: headEnd + 4, bodyBytes };
}

/** A head and its body, which is whole or what came of it. */
export function requestFrom({ head }: ParsedHead, body: Buffer): RecordedRequest {
  return { ...head, body: body.toString("utf8"), bytes: body };
}

/** A response head: status line and headers, in the order given. */
export function formatHead(status: number, headers: readonly (readonly [string, string])[]): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} Scripted\r\n${lines.join("")}\r\n`;
}

function parseHeaders(lines: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return headers;
}
