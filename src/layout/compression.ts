/** How a file is compressed, as far as its first bytes tell. */
export type Compression = "gzip" | "zstd" | "xz" | "bzip2";

const magics: readonly (readonly [Compression, readonly number[]])[] = [
  ["gzip", [0x1f, 0x8b]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["bzip2", [0x42, 0x5a, 0x68]],
];

/** Reads the first bytes of a file, six if it has so many; `undefined` for none of the compressions that images know. */
export function compressionOf(firstBytes: Uint8Array): Compression | undefined {
  return magics.find(([, magic]) => magic.every((byte, i) => firstBytes[i] === byte))?.[0];
}
