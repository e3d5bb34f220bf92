import { stat } from "node:fs/promises";
import { asFailure, Failure } from "../errors/failure.ts";
import type { ByteSource } from "./bytes.ts";
import { type DraftFile, openDraft } from "./draft-file.ts";
import { lockPart, type PartLock } from "./part-lock.ts";
import { paddingAfter } from "./tar-header.ts";
import { tarEnd, tarHeader } from "./tar-write.ts";

/** An entry of a tar whose data is being written, at the tar's end. */
export interface EntryDraft {
  readonly dataOffset: number;
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Writes the header in front of the data: until then the entry is not there. The name is as long as was announced. */
  finish(name: string): Promise<void>;
  /** Takes back what was written of it. */
  drop(): Promise<void>;
}

/** A tar that grows under the name `FILE.part`. One entry is written at a time. Methods throw the system's errors. */
export interface TarDraft {
  /** What has been written, to be read again. */
  readonly written: ByteSource;
  /** Begins an entry behind the last one, with room for a header of this size. */
  begin(headerBytes: number): EntryDraft;
  add(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Forgets what lies behind this byte, which is the end of an entry. */
  cutAt(endByte: number): Promise<void>;
  /** Writes the end mark, syncs, and gives it its name. Throws a `Failure`; then `FILE.part` stays. */
  publish(): Promise<void>;
  /** Lets go of it: `FILE.part` is kept to be gone on with, or removed when it is empty or not wanted. */
  close(part: "kept" | "removed"): Promise<void>;
}

/**
 * Begins a tar, or goes on with the `FILE.part` of an earlier run, as `part` says. Throws a `Failure`: USAGE where the file
 * itself is there already, which is never written over; STORAGE_LOCKED while another process writes it.
 */
export async function openTarDraft(path: string, part: "kept" | "over"): Promise<TarDraft> {
  if (await isThere(path)) {
    throw new Failure({ code: "USAGE", message: `${path} is there already: remove it, or name another file` });
  }
  const lock = lockPart(`${path}.part`);
  try {
    const file = await openDraft(`${path}.part`, part);
    return new TarFileDraft({ path, file, lock, sizeBytes: await file.sizeBytes() });
  } catch (error) {
    lock.release();
    throw asFailure(error, "STORAGE_FAILED", `cannot write ${path}.part`);
  }
}

class TarFileDraft implements TarDraft {
  readonly written: ByteSource;
  readonly #path: string;
  readonly #file: DraftFile;
  readonly #lock: PartLock;
  #endByte = 0;

  constructor(parts: {
    readonly path: string;
    readonly file: DraftFile;
    readonly lock: PartLock;
    readonly sizeBytes: number;
  }) {
    const { path, file, lock, sizeBytes } = parts;
    this.#path = path;
    this.#file = file;
    this.#lock = lock;
    this.written = {
      name: file.path,
      sizeBytes,
      read: (offset, length) => file.read(offset, length),
      close: () => Promise.resolve(),
    };
  }

  begin(headerBytes: number): EntryDraft {
    const start = this.#endByte;
    const dataOffset = start + headerBytes;
    const file = this.#file;
    let sizeBytes = 0;
    return {
      dataOffset,
      async write(bytes) {
        await file.write(bytes, dataOffset + sizeBytes);
        sizeBytes += bytes.byteLength;
      },
      finish: async (name) => {
        const header = tarHeader(name, sizeBytes);
        if (header.byteLength !== headerBytes)
          throw new Error(`a header of ${headerBytes} bytes is too short for ${name}`);
        await file.write(header, start);
        this.#endByte = dataOffset + sizeBytes + paddingAfter(sizeBytes);
      },
      drop: () => file.truncate(start),
    };
  }

  async add(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const entry = this.begin(tarHeader(name, bytes.byteLength).byteLength);
    await entry.write(bytes);
    await entry.finish(name);
  }

  async cutAt(endByte: number): Promise<void> {
    await this.#file.truncate(endByte);
    this.#endByte = endByte;
  }

  async publish(): Promise<void> {
    try {
      await this.#file.write(tarEnd(), this.#endByte);
      if (await isThere(this.#path)) {
        throw new Failure({
          code: "STORAGE_FAILED",
          message: `${this.#path} has come to be there: it is left as it is`,
        });
      }
      await this.#file.publish(this.#path);
    } catch (error) {
      throw asFailure(error, "STORAGE_FAILED", `cannot write ${this.#path}`);
    } finally {
      await this.#file.close();
      this.#lock.release();
    }
  }

  async close(part: "kept" | "removed"): Promise<void> {
    try {
      if (part === "removed" || this.#endByte === 0) await this.#file.discard();
      else await this.#file.close();
    } finally {
      this.#lock.release();
    }
  }
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
