import { join } from "node:path";
import { algorithmOf, type Digest, hexOf } from "../reference/digest.ts";

/**
 * Where things lie in a storage folder:
 *
 *     STORAGE/
 *     ├── lock                     held by the one process that owns the folder
 *     ├── admin.sock               where commands reach that process
 *     └── v1/                      the format's version
 *         ├── index.db             which content is held, and what it was seen as
 *         ├── blobs/
 *         │   └── sha256/ab/abcd…  published content: complete, verified, synced, never changed
 *         ├── fills/
 *         │   └── abcd….N.part     content on its way in, or pushed once more; at start it is left over
 *         └── uploads/
 *             └── ID               what clients are sending; they go on with it after a restart
 */
export interface Layout {
  readonly root: string;
  readonly lock: string;
  readonly adminSocket: string;
  readonly index: string;
  readonly blobs: string;
  readonly fills: string;
  readonly uploads: string;
  /** Beside `blobs`, in the same file system; it is `fills` where everything is in one folder. */
  readonly incoming: string;
  blob(digest: Digest): string;
}

/** Folders of a storage: one for all, or some things apart. */
export interface StorageFolders {
  /** Lock, socket and index. */
  readonly root: string;
  readonly blobs: string;
  /** What is on its way in. */
  readonly scratch: string;
}

/** The paths of a storage. Names come from parsed digests only. */
export function layoutOf(folders: string | StorageFolders): Layout {
  const apart = typeof folders === "string" ? { root: folders, blobs: folders, scratch: folders } : folders;
  const { root, scratch } = apart;
  const blobs = join(apart.blobs, "v1", "blobs");
  return {
    root,
    blobs,
    lock: join(root, "lock"),
    adminSocket: join(root, "admin.sock"),
    index: join(root, "v1", "index.db"),
    fills: join(scratch, "v1", "fills"),
    uploads: join(scratch, "v1", "uploads"),
    incoming: join(apart.blobs, "v1", "fills"),
    blob: (digest) => `${blobs}/${algorithmOf(digest)}/${hexOf(digest).slice(0, 2)}/${hexOf(digest)}`,
  };
}
