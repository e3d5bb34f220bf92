import { randomUUID } from "node:crypto";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Absent, Unavailable } from "../registry/remote.ts";
import { diskFailure } from "./disk-failure.ts";
import { type BlobReading, readBlob } from "./read-blob.ts";
import type { SpooledBlob } from "./target.ts";

/** A blob that was read to a file, which who gets it removes. */
export type Spooled = ({ readonly kind: "spooled" } & SpooledBlob) | Absent | Unavailable;

/** Reads a blob into a file of a folder. A file is left only when it is all of it, with the right hash. */
export async function spool(folder: string, reading: BlobReading): Promise<Spooled> {
  const { digest, sizeBytes } = reading;
  const path = join(folder, randomUUID());
  const fault = await write(path, reading);
  if (fault === undefined) return { kind: "spooled", digest, sizeBytes, path };
  await discard(path);
  return fault;
}

/** Removes what was spooled. */
export async function discard(path: string): Promise<void> {
  await rm(path, { force: true }).catch(() => {});
}

async function write(path: string, reading: BlobReading): Promise<Absent | Unavailable | undefined> {
  try {
    const file = await open(path, "wx", 0o600);
    try {
      return await readBlob(reading, (bytes) => file.writeFile(bytes));
    } finally {
      await file.close();
    }
  } catch (error) {
    return diskFailure(`writing the temporary file of ${reading.digest}`, error);
  }
}
