import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, open, unlink } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { asFailure, Failure } from "../errors/failure.ts";
import { type ByteSource, openBytes } from "./bytes.ts";
import { compressionOf } from "./compression.ts";

/** Where and how far an archive that is compressed as a whole is unpacked. */
export interface UnpackOptions {
  readonly signal: AbortSignal;
  readonly temporaryFolder: string;
  readonly unpackedMaxBytes: number;
}

/**
 * Opens a tar. One that gzip or zstd has compressed is unpacked first, since those cannot be read at any place: into a file
 * that has lost its name already, so that nothing is left of it however the program ends.
 */
export async function openTar(path: string, options: UnpackOptions): Promise<ByteSource> {
  const file = await openBytes(path);
  try {
    const compression = compressionOf(await file.read(0, Math.min(6, file.sizeBytes)));
    switch (compression) {
      case undefined:
        return file;
      case "gzip":
      case "zstd": {
        const unpacked = await unpack(path, compression, options);
        await file.close();
        return unpacked;
      }
      case "xz":
      case "bzip2":
        throw new Failure({
          code: "UNSUPPORTED",
          message: `${path} is compressed by ${compression}, which is not read here: unpack it first`,
        });
    }
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function unpack(path: string, compression: "gzip" | "zstd", options: UnpackOptions): Promise<ByteSource> {
  const { signal, temporaryFolder, unpackedMaxBytes } = options;
  const temporary = join(temporaryFolder, `periplus-${randomUUID()}.tar`);
  const handle = await open(temporary, "wx", 0o600).catch((error: unknown) => {
    throw asFailure(error, "STORAGE_FAILED", `cannot unpack ${path} into ${temporaryFolder}`);
  });
  try {
    const decompress = compression === "gzip" ? createGunzip() : createZstdDecompress();
    const save = (pieces: AsyncIterable<Uint8Array>): Promise<void> =>
      saveTo(handle, pieces, { path, maxBytes: unpackedMaxBytes });
    await pipeline(createReadStream(path), decompress, save, { signal });
    return await openBytes(temporary);
  } catch (error) {
    signal.throwIfAborted();
    throw asFailure(error, "STORAGE_FAILED", `cannot unpack ${path} into ${temporaryFolder}`);
  } finally {
    await unlink(temporary);
    await handle.close();
  }
}

async function saveTo(
  handle: FileHandle,
  pieces: AsyncIterable<Uint8Array>,
  { path, maxBytes }: { readonly path: string; readonly maxBytes: number },
): Promise<void> {
  let sizeBytes = 0;
  for await (const piece of pieces) {
    if (sizeBytes + piece.byteLength > maxBytes) {
      throw new Failure({
        code: "SIZE_INVALID",
        message: `${path} unpacks to more than the ${maxBytes} bytes that are allowed`,
      });
    }
    await handle.writev([piece], sizeBytes);
    sizeBytes += piece.byteLength;
  }
}
