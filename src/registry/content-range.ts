/** What part of a whole a 206 carries: `endByte` is one past its last byte, `sizeBytes` absent where the server does not know it. */
export interface ContentRange {
  readonly startByte: number;
  readonly endByte: number;
  readonly sizeBytes: number | undefined;
}

/** Reads `Content-Range: bytes FIRST-LAST/SIZE` (RFC 9110, 14.4); `undefined` for anything else or what does not add up. */
export function parseContentRange(header: string | null): ContentRange | undefined {
  const parts = /^bytes ([0-9]{1,15})-([0-9]{1,15})\/([0-9]{1,15}|\*)$/i.exec(header?.trim() ?? "");
  const [, first, last, size] = parts ?? [];
  if (first === undefined || last === undefined || size === undefined) return undefined;
  const startByte = Number(first);
  const endByte = Number(last) + 1;
  const sizeBytes = size === "*" ? undefined : Number(size);
  if (startByte >= endByte || (sizeBytes !== undefined && endByte > sizeBytes)) return undefined;
  return { startByte, endByte, sizeBytes };
}

/** A `Content-Length` as a number; `undefined` when it is absent or no length. */
export function contentLength(headers: Headers): number | undefined {
  const text = headers.get("content-length");
  return text !== null && /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined;
}
