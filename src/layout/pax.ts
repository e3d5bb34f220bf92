import type { TarRefusal } from "./tar-header.ts";

/** What an extended header says of the entry after it. */
export interface PaxFacts {
  readonly path?: string;
  readonly linkPath?: string;
  readonly sizeBytes?: number;
}

/**
 * Reads the records `LENGTH KEY=VALUE\n` of a pax header (POSIX pax, "pax Extended Header"). Only keys that change what is
 * read matter. Refused: lengths that do not add up, sizes that are no number, and sparse files.
 */
export function parsePax(data: Uint8Array): PaxFacts | TarRefusal {
  const facts: PaxFacts = {};
  for (let at = 0; at < data.byteLength; ) {
    const record = recordAt(data, at);
    if (record === undefined) return refused("its extended header is broken");
    const read = factOf(record.key, record.value);
    if ("kind" in read) return read;
    Object.assign(facts, read);
    at = record.next;
  }
  return facts;
}

/** The record that gives the next entry this path. Its length counts itself. */
export function formatPaxPath(path: string): Uint8Array<ArrayBuffer> {
  const body = new TextEncoder().encode(` path=${path}\n`);
  let length = body.byteLength + 1;
  while (body.byteLength + String(length).length !== length) length++;
  return new TextEncoder().encode(`${length} path=${path}\n`);
}

interface PaxRecord {
  readonly key: string;
  readonly value: string;
  readonly next: number;
}

function recordAt(data: Uint8Array, at: number): PaxRecord | undefined {
  const space = data.indexOf(32, at);
  if (space < 0 || space - at > 9) return undefined;
  const digits = decode(data.subarray(at, space));
  const next = at + Number(digits);
  if (!/^[1-9][0-9]*$/.test(digits) || next > data.byteLength || data[next - 1] !== 10) return undefined;
  const record = decode(data.subarray(space + 1, next - 1));
  const equals = record.indexOf("=");
  return equals < 1 ? undefined : { key: record.slice(0, equals), value: record.slice(equals + 1), next };
}

function factOf(key: string, value: string): PaxFacts | TarRefusal {
  if (key.startsWith("GNU.sparse.")) return refused("it is a sparse file, which is not read here");
  switch (key) {
    case "path":
      return { path: value };
    case "linkpath":
      return { linkPath: value };
    case "size":
      if (!/^[0-9]{1,15}$/.test(value)) return refused("its size is no number, or too large");
      return { sizeBytes: Number(value) };
    default:
      return {};
  }
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function refused(reason: string): TarRefusal {
  return { kind: "refused", reason };
}
