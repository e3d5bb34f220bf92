import { constants } from "node:fs";
import { open, readdir, unlink } from "node:fs/promises";
import { asFailure } from "../errors/failure.ts";

/** Makes the names in a folder outlast a power cut. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Removes a file; one that is gone already is no error. Throws `STORAGE_FAILED`. */
export async function unlinkIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (!isNotFound(error)) throw asFailure(error, "STORAGE_FAILED", `cannot remove ${path}`);
  }
}

/** The names in a folder; none when it is not there. Throws `STORAGE_FAILED`. */
export async function names(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isNotFound(error)) return [];
    throw asFailure(error, "STORAGE_FAILED", `cannot read ${folder}`);
  }
}

/** True for the system's error for what is not there. */
export function isNotFound(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
