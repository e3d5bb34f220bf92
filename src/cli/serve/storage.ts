import { mkdir } from "node:fs/promises";
import { asFailure, Failure } from "../../errors/failure.ts";
import { type ContentStore, openFileContent } from "../../store/content.ts";
import type { ContentIndex } from "../../store/content-index.ts";
import { type Layout, layoutOf } from "../../store/layout.ts";
import type { HostedIndex } from "../../store/hosted-index.ts";
import { tryLock } from "../../store/lock.ts";
import { openFileUploads, type UploadStore } from "../../store/uploads.ts";
import { openSqliteIndexes } from "../../store/sqlite/sqlite-index.ts";

/** A storage folder that this process owns. */
export interface Storage {
  readonly layout: Layout;
  readonly index: ContentIndex;
  readonly content: ContentStore;
  /** Our own repositories, and what is on its way into them. */
  readonly hosted: HostedIndex;
  readonly uploads: UploadStore;
  close(): Promise<void>;
}

/** Takes and opens a storage folder. Throws `STORAGE_LOCKED` when another process has it, `STORAGE_FAILED` when it cannot be used. */
export async function openStorage(root: string): Promise<Storage> {
  // What is kept may be private: nobody but this user reads it.
  process.umask(0o077);
  const layout = layoutOf(root);
  await mkdir(root, { recursive: true }).catch((error: unknown) => {
    throw asFailure(error, "STORAGE_FAILED", `cannot make the storage folder ${root}`);
  });
  const lock = tryLock(layout.lock);
  if (lock === undefined) {
    throw new Failure({
      code: "STORAGE_LOCKED",
      message: `another periplus has the storage folder ${root}; stop it, or give this one another folder with --storage`,
    });
  }
  const content = await openFileContent(layout);
  await content.sweepDrafts();
  const { content: index, hosted } = openSqliteIndexes(layout.index);
  const uploads = await openFileUploads(layout);
  return {
    layout,
    index,
    content,
    hosted,
    uploads,
    close: async () => {
      await index.close();
      lock.release();
    },
  };
}
