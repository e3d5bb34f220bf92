import { checksumOf } from "../tar-header.ts";

/** The fields of a header that tests choose; the rest is as a plain file has it. */
export interface TestHeader {
  readonly name?: string;
  readonly prefix?: string;
  readonly linkName?: string;
  readonly type?: string;
  /** The field itself, 12 bytes at most. */
  readonly size?: string | Uint8Array;
  readonly magic?: string;
}

/** A header block with a right checksum, whatever stands in it. */
export function testHeader(fields: TestHeader): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(512);
  const put = (at: number, value: string | Uint8Array): void =>
    block.set(typeof value === "string" ? new TextEncoder().encode(value) : value, at);
  put(0, fields.name ?? "file");
  put(124, fields.size ?? "00000000000");
  put(156, fields.type ?? "0");
  put(157, fields.linkName ?? "");
  put(257, fields.magic ?? "ustar\x0000");
  put(345, fields.prefix ?? "");
  put(148, `${checksumOf(block).toString(8).padStart(6, "0")}\0 `);
  return block;
}

/** Blocks and data in a row, each filled up to the next block. */
export function blocks(...parts: readonly (Uint8Array | string)[]): Uint8Array<ArrayBuffer> {
  const padded = parts.map((part) => {
    const bytes = typeof part === "string" ? new TextEncoder().encode(part) : part;
    const whole = new Uint8Array(Math.ceil(bytes.byteLength / 512) * 512);
    whole.set(bytes);
    return whole;
  });
  return new Uint8Array(Buffer.concat(padded));
}

/** A size field in octal digits. */
export function octal(sizeBytes: number): string {
  return sizeBytes.toString(8).padStart(11, "0");
}
