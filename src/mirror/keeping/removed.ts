import type { Digest } from "../../reference/digest.ts";
import type { Keeping } from "./keeping.ts";

/** What was taken away, or why nothing was. */
export interface Removed {
  readonly status: "removed" | "absent" | "failed";
  readonly what: "tag" | "manifest" | "blob" | "repository" | undefined;
  /** On disk; manifests are rows and free none. */
  readonly freedBytes: number;
  /** What exactly is gone and what stays, or why nothing could be done. */
  readonly detail: string;
}

/** Takes content away wherever it was seen; the bytes freed on disk. Who reads it now reads on. */
export async function removeContent({ index, quota }: Keeping, digest: Digest): Promise<number> {
  const blob = await index.blob(digest);
  if (blob === undefined) {
    await index.removeManifest(digest);
    return 0;
  }
  await quota.remove(blob);
  return blob.sizeBytes;
}

/** Nothing of it was held. */
export function absent(detail: string): Removed {
  return { status: "absent", what: undefined, freedBytes: 0, detail };
}

/** It could not be done. */
export function failed(detail: string): Removed {
  return { status: "failed", what: undefined, freedBytes: 0, detail };
}

/** A number and what it counts. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}
