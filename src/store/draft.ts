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
  /** Makes what was written outlast a power cut. */
  sync(): Promise<void>;
  /** Gives the file up; what is open stays readable. */
  discard(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Drafts that are open. The runtime takes a handle that is collected while it is open for an error of the whole program, so none
 * is let go of.
 */
export type OpenDrafts = Set<FileHandle>;

/** How a draft's file is opened: one that must not be there yet, or one that must. */
export const newFile: number = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL;
export const knownFile: number = constants.O_RDWR;

/** Opens a draft at a path. Throws the system's error. */
export async function openDraft(path: string, flags: number, drafts: OpenDrafts): Promise<Draft> {
  const handle = await open(path, flags, 0o644);
  drafts.add(handle);
  return new FileDraft(path, handle, drafts);
}

class FileDraft implements Draft {
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #drafts: OpenDrafts;

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
  }

  writeNow(pieces: readonly Uint8Array<ArrayBuffer>[], offset: number): void {
    let position = offset;
    let left = pieces;
    while (left.length > 0) {
      const bytesWritten = writevSync(this.#handle.fd, left, position);
      position += bytesWritten;
      left = without(left, bytesWritten);
    }
  }

  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const buffer = new Uint8Array(length);
    const { bytesRead } = await this.#handle.read(buffer, 0, length, offset);
    return buffer.subarray(0, bytesRead);
  }

  sync(): Promise<void> {
    return this.#handle.sync();
  }

  async discard(): Promise<void> {
    await unlinkIfThere(this.path);
  }

  close(): Promise<void> {
    return this.#handle.close().finally(() => this.#drafts.delete(this.#handle));
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
