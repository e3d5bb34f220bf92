import { dirname } from "node:path";
import type { S3CredentialWorld } from "../../config/s3-credentials.ts";
import type { BlobPlace, StorageSettings } from "../../config/settings.ts";
import { asFailure, Failure } from "../../errors/failure.ts";
import { type ContentStore, openFileContent } from "../../store/content.ts";
import type { ContentIndex } from "../../store/content-index.ts";
import { makeFolder } from "../../store/files.ts";
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

/** Takes and opens a storage. Throws `STORAGE_LOCKED` when another process has it, `STORAGE_FAILED` when it cannot be used. */
export async function openStorage(settings: StorageSettings, world: S3CredentialWorld): Promise<Storage> {
  const { folder: root, scratch, blobs } = settings;
  // What is kept may be private: nobody but this user reads it.
  process.umask(0o077);
  const layout = layoutOf({ root, scratch, blobs: blobs.kind === "files" ? blobs.folder : root });
  await makeFolder(dirname(layout.index)).catch((error: unknown) => {
    throw asFailure(error, "STORAGE_FAILED", `cannot make the storage folder ${root}`);
  });
  const lock = tryLock(layout.lock);
  if (lock === undefined) {
    throw new Failure({
      code: "STORAGE_LOCKED",
      message: `another periplus has the storage folder ${root}; stop it, or give this one another folder with --storage`,
    });
  }
  const content = await openContent(blobs, layout, world);
  await content.sweepDrafts();
  const { content: index, hosted } = openSqliteIndexes(layout.index);
  const uploads = await openFileUploads(layout, blobs.kind === "files");
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

/** The client of buckets is loaded where there is one: a server of files spares itself its memory. */
async function openContent(blobs: BlobPlace, layout: Layout, world: S3CredentialWorld): Promise<ContentStore> {
  if (blobs.kind === "files") return openFileContent(layout);
  const [{ createS3Bucket }, { openObjectContent }, { s3CredentialSource }] = await Promise.all([
    import("../../s3/client.ts"),
    import("../../store/object-content.ts"),
    import("../../config/s3-credentials.ts"),
  ]);
  const { bucket: settings, isLinked } = blobs;
  const bucket = createS3Bucket({ settings, credentials: s3CredentialSource(settings.credentials, world) });
  return openObjectContent(bucket, layout, { isLinked });
}
