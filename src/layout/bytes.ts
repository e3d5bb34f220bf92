import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { asFailure, Failure } from "../errors/failure.ts";

/** Bytes that can be read at any place: a file, a part of one, a few in memory. */
export interface ByteSource {
  /** What messages call it. */
  readonly name: string;
  readonly sizeBytes: number;
  /** Exactly these bytes. Throws a `Failure` (STORAGE_FAILED) when they cannot be read or end before. */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  close(): Promise<void>;
}

/** Opens a file to be read. Throws a `Failure`: NAME_UNKNOWN where there is none, STORAGE_FAILED for the rest. */
export async function openBytes(path: string): Promise<ByteSource> {
  // Without O_NONBLOCK, a pipe that lies there in place of a file would hold the caller for ever.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
    throw cannotRead(path, error);
  });
  const stat = await handle.stat();
  if (!stat.isFile()) {
    await handle.close();
    throw new Failure({ code: "STORAGE_FAILED", message: `cannot read ${path}: it is not a file` });
  }
  return {
    name: path,
    sizeBytes: stat.size,
    async read(offset, length) {
      const buffer = new Uint8Array(length);
      let filled = 0;
      while (filled < length) {
        const { bytesRead } = await handle
          .read(buffer, filled, length - filled, offset + filled)
          .catch((error: unknown) => {
            throw cannotRead(path, error);
          });
        if (bytesRead === 0) throw endsBefore(path, offset + length);
        filled += bytesRead;
      }
      return buffer;
    },
    close: () => handle.close(),
  };
}

/** A part of other bytes, which stay open when it is closed. */
export function partOf(whole: ByteSource, part: { readonly offset: number; readonly sizeBytes: number }): ByteSource {
  return {
    name: whole.name,
    sizeBytes: part.sizeBytes,
    read: (offset, length) => whole.read(part.offset + offset, length),
    close: () => Promise.resolve(),
  };
}

/** Bytes that are in memory: a document that this program wrote. */
export function inMemory(name: string, bytes: Uint8Array<ArrayBuffer>): ByteSource {
  return {
    name,
    sizeBytes: bytes.byteLength,
    read(offset, length) {
      if (offset + length > bytes.byteLength) return Promise.reject(endsBefore(name, offset + length));
      return Promise.resolve(bytes.slice(offset, offset + length));
    },
    close: () => Promise.resolve(),
  };
}

/** True for the system's word that a path does not exist. */
export function isNotFound(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}

function cannotRead(path: string, error: unknown): Failure {
  if (isNotFound(error)) return new Failure({ code: "NAME_UNKNOWN", message: `there is no ${path}`, cause: error });
  return asFailure(error, "STORAGE_FAILED", `cannot read ${path}`);
}

function endsBefore(name: string, byte: number): Failure {
  return new Failure({ code: "STORAGE_FAILED", message: `${name} ends before byte ${byte}` });
}
