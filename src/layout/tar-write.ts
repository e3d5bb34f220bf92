import { formatPaxPath } from "./pax.ts";
import { checksumOf, paddingAfter, tarBlockBytes } from "./tar-header.ts";

const nameMaxBytes = 100;

/**
 * The header of a file, in one block, or in three where the name is longer than 100 bytes (a pax header before it). Owned
 * by root, of no time: the same content gives the same bytes. A size past 8 GiB is written in base 256, as GNU does.
 */
export function tarHeader(name: string, sizeBytes: number): Uint8Array<ArrayBuffer> {
  const nameBytes = new TextEncoder().encode(name);
  if (nameBytes.byteLength <= nameMaxBytes) return headerBlock({ name: nameBytes, sizeBytes, type: "0" });
  const record = formatPaxPath(name);
  const shortName = new TextEncoder().encode("pax");
  return joined([
    headerBlock({ name: shortName, sizeBytes: record.byteLength, type: "x" }),
    record,
    new Uint8Array(paddingAfter(record.byteLength)),
    headerBlock({ name: nameBytes.subarray(0, nameMaxBytes), sizeBytes, type: "0" }),
  ]);
}

/** The end mark of a tar: two blocks of zeros. */
export function tarEnd(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(2 * tarBlockBytes);
}

interface HeaderParts {
  readonly name: Uint8Array;
  readonly sizeBytes: number;
  readonly type: string;
}

function headerBlock({ name, sizeBytes, type }: HeaderParts): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(tarBlockBytes);
  block.set(name, 0);
  put(block, 100, "0000644\0");
  put(block, 108, "0000000\0");
  put(block, 116, "0000000\0");
  putSize(block, sizeBytes);
  put(block, 136, "00000000000\0");
  put(block, 156, type);
  put(block, 257, "ustar\x0000");
  put(block, 148, `${checksumOf(block).toString(8).padStart(6, "0")}\0 `);
  return block;
}

function putSize(block: Uint8Array, sizeBytes: number): void {
  if (sizeBytes < 8 ** 11) return put(block, 124, `${sizeBytes.toString(8).padStart(11, "0")}\0`);
  block[124] = 0x80;
  let rest = sizeBytes;
  for (let i = 135; i > 124; i--) {
    block[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
}

function put(block: Uint8Array, at: number, ascii: string): void {
  block.set(new TextEncoder().encode(ascii), at);
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
