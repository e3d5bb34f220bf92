import { stat } from "node:fs/promises";
import { join } from "node:path";
import { asFailure } from "../errors/failure.ts";
import { type Draft, knownFile, newFile, OpenDrafts, openDraft } from "./draft.ts";
import { isNotFound, makeFolder, names, unlinkIfThere } from "./files.ts";
import type { Layout } from "./layout.ts";

/** An upload that lies open, and how much of it there is. */
export interface OpenUpload {
  readonly draft: Draft;
  readonly sizeBytes: number;
}

/** Uploads that have begun and are no content yet. They outlast a restart, and are left when nobody goes on with them. */
export interface UploadStore {
  /** `id` must be a name of a file, and new. */
  begin(id: string): Promise<Draft>;
  /** `undefined` when there is no such upload. */
  reopen(id: string): Promise<OpenUpload | undefined>;
  /** Removes those that nobody has written to since; their ids. */
  sweep(beforeMs: number): Promise<readonly string[]>;
}

/** Opens uploads in files, which are kept as what they become or are read into a bucket. Makes the folder that is missing. */
export async function openFileUploads({ uploads, root }: Layout, areKept: boolean): Promise<UploadStore> {
  await makeFolder(uploads).catch((error: unknown) => {
    throw asFailure(error, "STORAGE_FAILED", `cannot make the storage folder ${root}`);
  });
  const drafts = new OpenDrafts(areKept);
  return {
    begin: (id) => openDraft(join(uploads, id), newFile, drafts),
    reopen: (id) => reopen(join(uploads, id), drafts),
    sweep: async (beforeMs) => {
      const removed: string[] = [];
      for (const id of await names(uploads)) {
        const path = join(uploads, id);
        if ((await writtenAtMs(path)) >= beforeMs) continue;
        await unlinkIfThere(path);
        removed.push(id);
      }
      return removed;
    },
  };
}

async function reopen(path: string, drafts: OpenDrafts): Promise<OpenUpload | undefined> {
  let draft: Draft | undefined;
  try {
    draft = await openDraft(path, knownFile, drafts);
    return { draft, sizeBytes: (await stat(path)).size };
  } catch (error) {
    await draft?.close();
    if (isNotFound(error)) return undefined;
    throw asFailure(error, "STORAGE_FAILED", `cannot open the upload ${path}`);
  }
}

/** One that is gone, or cannot be looked at, was never written to long ago. */
function writtenAtMs(path: string): Promise<number> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => Number.POSITIVE_INFINITY,
  );
}
