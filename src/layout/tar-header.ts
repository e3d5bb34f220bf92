/** Headers and data of a tar come in blocks of this size. */
export const tarBlockBytes = 512;

/** A header as it stands in its block, before what extended headers say of it. POSIX ustar, GNU and v7. */
export interface TarHeader {
  readonly kind: "header";
  readonly name: string;
  readonly linkName: string;
  /** The type flag, one character: `0` a file, `5` a folder, `x` an extended header. */
  readonly type: string;
  readonly sizeBytes: number;
}

/** A block of zeros: the end mark. */
export interface TarEnd {
  readonly kind: "end";
}

/** Why bytes are no tar that is read here, in words. */
export interface TarRefusal {
  readonly kind: "refused";
  readonly reason: string;
}

const checksumAt = { start: 148, end: 156 } as const;

/** Reads one block of 512 bytes as a header. The checksum has to be right, and the size a number from 0 to 2^53 - 1. */
export function parseTarHeader(block: Uint8Array): TarHeader | TarEnd | TarRefusal {
  if (block.every((byte) => byte === 0)) return { kind: "end" };
  if (number(block, checksumAt) !== checksumOf(block)) return refused("it is no tar header: its checksum is wrong");
  const sizeBytes = number(block, { start: 124, end: 136 });
  if (sizeBytes === undefined) return refused("its size is no number, or too large");
  const name = text(block, { start: 0, end: 100 });
  const isPosix = text(block, { start: 257, end: 263 }) === "ustar";
  // GNU's magic is "ustar  ": it keeps times where POSIX has the prefix.
  const prefix = isPosix ? text(block, { start: 345, end: 500 }) : "";
  const flag = block[156] ?? 0;
  return {
    kind: "header",
    name: prefix === "" ? name : `${prefix}/${name}`,
    linkName: text(block, { start: 157, end: 257 }),
    type: flag === 0 ? "0" : String.fromCharCode(flag),
    sizeBytes,
  };
}

/** The sum of a header's bytes, with spaces in place of the sum itself. */
export function checksumOf(block: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < tarBlockBytes; i++) {
    sum += i >= checksumAt.start && i < checksumAt.end ? 32 : (block[i] ?? 0);
  }
  return sum;
}

/** How many bytes follow data of this size, up to the next block. */
export function paddingAfter(sizeBytes: number): number {
  return (tarBlockBytes - (sizeBytes % tarBlockBytes)) % tarBlockBytes;
}

interface Field {
  readonly start: number;
  readonly end: number;
}

/** A number in octal digits, or in base 256 where the first bit is set (GNU); `undefined` for anything else. */
function number(block: Uint8Array, { start, end }: Field): number | undefined {
  const first = block[start] ?? 0;
  if (first < 0x80) {
    const digits = text(block, { start, end }).trim();
    return /^[0-7]{0,12}$/.test(digits) ? Number.parseInt(digits || "0", 8) : undefined;
  }
  if (first !== 0x80) return undefined;
  let value = 0;
  for (let i = start + 1; i < end; i++) {
    value = value * 256 + (block[i] ?? 0);
    if (value > Number.MAX_SAFE_INTEGER) return undefined;
  }
  return value;
}

function text(block: Uint8Array, { start, end }: Field): string {
  const field = block.subarray(start, end);
  const zero = field.indexOf(0);
  return new TextDecoder().decode(zero < 0 ? field : field.subarray(0, zero));
}

function refused(reason: string): TarRefusal {
  return { kind: "refused", reason };
}
