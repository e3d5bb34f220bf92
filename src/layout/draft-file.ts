import { constants } from "node:fs";
import { type FileHandle, open, rename, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { syncFolder } from "../store/files.ts";
import { isNotFound } from "./bytes.ts";

/** A file that is written under another name than its own. Every method throws the system's error. */
export interface DraftFile {
  readonly path: string;
  /** Writes all of the bytes at this place. */
  write(bytes: Uint8Array<ArrayBuffer>, offset: number): Promise<void>;
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  sizeBytes(): Promise<number>;
  /** Cuts it off behind this many bytes. */
  truncate(sizeBytes: number): Promise<void>;
  /** Syncs it, gives it its name, and syncs the folder. It is closed then; when that fails, it keeps the name it had. */
  publish(target: string): Promise<void>;
  /** Closes it, once. */
  close(): Promise<void>;
  /** Closes and removes it. */
  discard(): Promise<void>;
}

/** Opens a draft: `new` must not be there, `kept` may be and is gone on with, `over` is begun anew. */
export async function openDraft(path: string, mode: "new" | "kept" | "over"): Promise<DraftFile> {
  const how = { new: constants.O_EXCL, kept: 0, over: constants.O_TRUNC }[mode];
  const handle = await open(path, constants.O_RDWR | constants.O_CREAT | how, 0o644);
  return new FileDraft(handle, path);
}

class FileDraft implements DraftFile {
  readonly path: string;
  readonly #handle: FileHandle;
  #isClosed = false;

  constructor(handle: FileHandle, path: string) {
    this.#handle = handle;
    this.path = path;
  }

  async write(bytes: Uint8Array<ArrayBuffer>, offset: number): Promise<void> {
    for (let written = 0; written < bytes.byteLength; ) {
      const left = bytes.byteLength - written;
      written += (await this.#handle.write(bytes, written, left, offset + written)).bytesWritten;
    }
  }

  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const buffer = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await this.#handle.read(buffer, filled, length - filled, offset + filled);
      if (bytesRead === 0) throw new Error(`${this.path} ends before byte ${offset + length}`);
      filled += bytesRead;
    }
    return buffer;
  }

  async sizeBytes(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  truncate(sizeBytes: number): Promise<void> {
    return this.#handle.truncate(sizeBytes);
  }

  async publish(target: string): Promise<void> {
    try {
      // After a failed sync the kernel may have dropped the pages: the draft is given up, never synced again.
      await this.#handle.sync();
    } finally {
      await this.close();
    }
    await rename(this.path, target);
    await syncFolder(dirname(target));
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#handle.close();
  }

  async discard(): Promise<void> {
    await this.close();
    await unlink(this.path).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  }
}
