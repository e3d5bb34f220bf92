import { asFailure } from "../errors/failure.ts";
import type { ContentIndex } from "../store/content-index.ts";

/** What pulls read and write of the index. */
export type PullIndex = Pick<
  ContentIndex,
  | "blob"
  | "blobAt"
  | "link"
  | "manifest"
  | "manifestAt"
  | "page"
  | "putBlob"
  | "putManifest"
  | "putPage"
  | "putTag"
  | "removeTag"
  | "tag"
  | "touch"
>;

/**
 * The index as pulls see it: a full or failing disk fails none of them. What cannot be read is not held, and what cannot
 * be written is passed on all the same; each time `notKept` is told why. Only `putBlob` and `touch` throw, for those who
 * have bytes to give up or pulls to count.
 */
export function tolerantIndex(index: ContentIndex, notKept: (message: string) => void): PullIndex {
  const read = <A extends readonly unknown[], T>(ask: (...args: A) => Promise<T | undefined>) =>
    tolerant(ask, (error) => notKept(asFailure(error, "STORAGE_FAILED", "the index could not be read").message));
  const write = <A extends readonly unknown[]>(put: (...args: A) => Promise<void>) =>
    tolerant(put, (error) => notKept(asFailure(error, "STORAGE_FAILED", "the index could not be written").message));
  return {
    blob: read((digest) => index.blob(digest)),
    blobAt: read((place, digest) => index.blobAt(place, digest)),
    manifest: read((digest) => index.manifest(digest)),
    manifestAt: read((place, digest) => index.manifestAt(place, digest)),
    page: read((place, key) => index.page(place, key)),
    tag: read((place, tag) => index.tag(place, tag)),
    link: write((place, digest) => index.link(place, digest)),
    putManifest: write((place, row) => index.putManifest(place, row)),
    putPage: write((place, key, row) => index.putPage(place, key, row)),
    putTag: write((place, row) => index.putTag(place, row)),
    removeTag: write((place, tag) => index.removeTag(place, tag)),
    putBlob: (place, row) => index.putBlob(place, row),
    touch: (pulls) => index.touch(pulls),
  };
}

function tolerant<A extends readonly unknown[], T>(
  act: (...args: A) => Promise<T>,
  failed: (error: unknown) => void,
): (...args: A) => Promise<T | undefined> {
  return async (...args) => {
    try {
      return await act(...args);
    } catch (error) {
      failed(error);
      return undefined;
    }
  };
}
