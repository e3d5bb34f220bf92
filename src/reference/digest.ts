/** A content digest, `algorithm:hex` with the exact length of its algorithm. OCI image spec, descriptor.md, "Digests". */
export type Digest = string & { readonly __brand: "Digest" };

/** The registered algorithms; no other is accepted anywhere. */
export type DigestAlgorithm = "sha256" | "sha512";

const hexLength: Readonly<Record<DigestAlgorithm, number>> = { sha256: 64, sha512: 128 };

const digestForm = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/** Parses a digest; `undefined` for another algorithm, another length, or anything but lower-case hex. */
export function parseDigest(text: string): Digest | undefined {
  return digestForm.test(text) ? (text as Digest) : undefined;
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
