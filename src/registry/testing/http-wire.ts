/** One request as it arrived, whole. Header names are in lower case; a repeated one is joined by ", ". */
export interface RecordedRequest {
  readonly method: string;
  /** Path and query, as sent. */
  readonly target: string;
  /** The path alone. */
  readonly path: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** A request read off the front of the bytes, and how many bytes it took. */
export interface ParsedRequest {
  readonly request: RecordedRequest;
  readonly lengthBytes: number;
}

/** Reads one HTTP/1.1 request with a `Content-Length` body or none; `undefined` until all of it is there. */
export function parseRequest(bytes: Buffer): ParsedRequest | undefined {
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd < 0) return undefined;
  const [requestLine = "", ...lines] = bytes.toString("latin1", 0, headEnd).split("\r\n");
  const [method = "", target = ""] = requestLine.split(" ");
  const headers = parseHeaders(lines);
  const bodyStart = headEnd + 4;
  const lengthBytes = bodyStart + Number(headers.get("content-length") ?? 0);
  if (bytes.length < lengthBytes) return undefined;
  const path = target.split("?", 1)[0] ?? "";
  const body = bytes.toString("utf8", bodyStart, lengthBytes);
  return { request: { method, target, path, headers, body }, lengthBytes };
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
