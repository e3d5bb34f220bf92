/** A content digest, `algorithm:hex` with the exact length of its algorithm. OCI image spec, descriptor.md, "Digests". */
export type Digest = string & { readonly __brand: "Digest" };

/** The registered algorithms; no other is accepted anywhere. */
export type DigestAlgorithm = "sha256" | "sha512";

const hexLength: Readonly<Record<DigestAlgorithm, number>> = { sha256: 64, sha512: 128 };

/** Parses a digest; `undefined` for another algorithm, another length, or anything but lower-case hex. */
export function parseDigest(text: string): Digest | undefined {
  const start = 7;
  const length = text.length - start;
  if (length !== 64 && length !== 128) return undefined;
  if (!text.startsWith(length === 64 ? "sha256:" : "sha512:")) return undefined;
  for (let i = start; i < text.length; i++) if (!isHexCode(text.charCodeAt(i))) return undefined;
  return text as Digest;
}

/** The algorithm part. */
export function algorithmOf(digest: Digest): DigestAlgorithm {
  return digest.startsWith("sha512:") ? "sha512" : "sha256";
}

/** The hex part, which is what names a file on disk. */
export function hexOf(digest: Digest): string {
  return digest.slice(7);
}

/** A digest from an algorithm and the hex that its hash gave. Throws when the length is not the algorithm's. */
export function digestFrom(algorithm: DigestAlgorithm, hex: string): Digest {
  if (hex.length !== hexLength[algorithm]) throw new RangeError(`${algorithm} has ${hexLength[algorithm]} hex digits`);
  return `${algorithm}:${hex}` as Digest;
}

function isHexCode(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 97 && code <= 102);
}
