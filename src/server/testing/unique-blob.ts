import type { Digest } from "../../reference/digest.ts";
import { digestOf } from "../../registry/testing/content.ts";

/** Content that nobody else has, and its path in the repository b of any registry. */
export interface UniqueBlob {
  readonly blob: Buffer;
  readonly digest: Digest;
  /** `b/blobs/DIGEST` */
  readonly path: string;
}

/** Makes a blob whose every kilobyte differs from the next, so that a piece in the wrong place is seen. */
export function uniqueBlob(sizeBytes: number): UniqueBlob {
  const blob = Buffer.alloc(sizeBytes, `${crypto.randomUUID()} periplus`);
  for (let at = 0; at + 4 <= sizeBytes; at += 1024) blob.writeUInt32BE(at, at);
  const digest = digestOf(blob);
  return { blob, digest, path: `b/blobs/${digest}` };
}
