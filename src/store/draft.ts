import { constants, writevSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { unlinkIfThere } from "./files.ts";

/** A file that content is written to while others read it. What it holds is nobody's before a store publishes it. */
export interface Draft {
  /** Where it is, for stores that send it elsewhere. */
  readonly path: string;
  /** Writes pieces one after the other from an offset on. Throws the system's error (`ENOSPC`, …) for the caller to judge. */
  write(pieces: readonly Uint8Array<ArrayBuffer>[], offset: number): Promise<void>;
  /** The same before it returns: for a disk that has taken the last pieces at once. Throws as `write` rejects. */
  writeNow(pieces: readonly Uint8Array<ArrayBuffer>[], offset: number): void;
  /** Reads up to `length` bytes that were written before. Also works after `publish` and `discard`, until `close`. */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Makes what was written outlast a power cut. Once it has failed it fails again: the kernel may have dropped what it could not write. */
  sync(): Promise<void>;
  /** Gives the file up; what is open stays readable. */
  discard(): Promise<void>;
  close(): Promise<void>;
}

/** What the drafts of one store share. */
export class OpenDrafts {
  /** The runtime takes a handle that is collected while it is open for an error of the whole program, so none is let go of. */
  readonly handles: Set<FileHandle> = new Set();
  /** One is sent on to the disk behind the writing: each such sync holds one of the few threads that all work on files shares. */
  isSyncing: boolean = false;
  /** Whether the files themselves are kept; what goes into a bucket from them need not outlast a power cut here. */
  readonly areKept: boolean;

  constructor(areKept: boolean) {
    this.areKept = areKept;
  }
}

/** How a draft's file is opened: one that must not be there yet, one that must, or one that is content already. */
export const newFile: number = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL;
export const knownFile: number = constants.O_RDWR;
export const finishedFile: number = constants.O_RDONLY;

/** Opens a draft at a path. Throws the system's error. */
export async function openDraft(path: string, flags: number, drafts: OpenDrafts): Promise<Draft> {
  const handle = await open(path, flags, 0o644);
  drafts.handles.add(handle);
  return new FileDraft(path, handle, drafts);
}

/** What is written is sent on to the disk each time this much of it has gathered, so that little is left to wait for at the end. */
const syncBehindBytes = 64 * 1024 * 1024;

class FileDraft implements Draft {
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #drafts: OpenDrafts;
  #unsyncedBytes = 0;
  #syncing: Promise<void> | undefined;
  #syncFault: unknown;

  constructor(path: string, handle: FileHandle, drafts: OpenDrafts) {
    this.path = path;
    this.#handle = handle;
    this.#drafts = drafts;
  }

  async write(pieces: readonly Uint8Array<ArrayBuffer>[], offset: number): Promise<void> {
    let position = offset;
    let left = pieces;
    while (left.length > 0) {
      const { bytesWritten } = await this.#handle.writev(left, position);
      position += bytesWritten;
      left = without(left, bytesWritten);
    }
    this.#wrote(position - offset);
  }

  writeNow(pieces: readonly Uint8Array<ArrayBuffer>[], offset: number): void {
    let position = offset;
    let left = pieces;
    while (left.length > 0) {
      const bytesWritten = writevSync(this.#handle.fd, left, position);
      position += bytesWritten;
      left = without(left, bytesWritten);
    }
    this.#wrote(position - offset);
  }

  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const buffer = new Uint8Array(length);
    const { bytesRead } = await this.#handle.read(buffer, 0, length, offset);
    return buffer.subarray(0, bytesRead);
  }

  async sync(): Promise<void> {
    await this.#syncing;
    if (this.#syncFault === undefined) await this.#keepFault(this.#handle.sync());
    if (this.#syncFault !== undefined) throw this.#syncFault;
  }

  async discard(): Promise<void> {
    await unlinkIfThere(this.path);
  }

  async close(): Promise<void> {
    await this.#syncing;
    await this.#handle.close().finally(() => this.#drafts.handles.delete(this.#handle));
  }

  #wrote(sizeBytes: number): void {
    this.#unsyncedBytes += sizeBytes;
    const drafts = this.#drafts;
    if (!drafts.areKept || drafts.isSyncing) return;
    if (this.#unsyncedBytes < syncBehindBytes || this.#syncFault !== undefined) return;
    this.#unsyncedBytes = 0;
    drafts.isSyncing = true;
    this.#syncing = this.#keepFault(this.#handle.datasync()).finally(() => (drafts.isSyncing = false));
  }

  /** The kernel tells of a failure once; who publishes has to hear of it. */
  async #keepFault(sync: Promise<void>): Promise<void> {
    await sync.catch((error: unknown) => (this.#syncFault = error));
  }
}

/** What is left of pieces after their first bytes. */
function without(pieces: readonly Uint8Array<ArrayBuffer>[], sizeBytes: number): readonly Uint8Array<ArrayBuffer>[] {
  let skip = sizeBytes;
  return pieces.flatMap((piece) => {
    const part = piece.subarray(Math.min(skip, piece.byteLength));
    skip = Math.max(0, skip - piece.byteLength);
    return part.byteLength === 0 ? [] : [part];
  });
}
