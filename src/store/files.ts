import { constants } from "node:fs";
import { copyFile, mkdir, open, readdir, readlink, rename, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
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

/** Makes a folder and those above it that are missing; the names of all outlast a power cut. */
export async function makeFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true });
  if (first === undefined) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
}

/**
 * Moves a synced file to its place at once. Into another file system it is copied to `incoming`, which is in the same one as its
 * place, and synced there first.
 */
export async function moveFile(from: string, to: string, incoming: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!hasCode(error, "EXDEV")) throw error;
    const copy = join(incoming, basename(from));
    await copyFile(from, copy);
    await syncFile(copy);
    await rename(copy, to);
    await unlink(from);
  }
}

async function syncFile(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDWR);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Paths of the files in a folder; none when it is not there. Throws `STORAGE_FAILED`. */
export async function pathsIn(folder: string): Promise<readonly string[]> {
  return (await names(folder)).map((name) => join(folder, name));
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

/** Paths of the files that this process has open; none where the system does not tell (it does so in `/proc`, on Linux). */
export async function openPaths(): Promise<readonly string[]> {
  const links = await pathsIn("/proc/self/fd");
  // One that was closed meanwhile is no link any more.
  return Promise.all(links.map((link) => readlink(link).catch(() => "")));
}

/** True for the system's error for what is not there. */
export function isNotFound(error: unknown): boolean {
  return hasCode(error, "ENOENT");
}

/** True for the system's error, or the database's, where a disk or a share of it is full; in whatever it was wrapped. */
export function isDiskFull(error: unknown): boolean {
  if (["ENOSPC", "EDQUOT", "SQLITE_FULL"].some((code) => hasCode(error, code))) return true;
  return error instanceof Error && error.cause !== undefined && isDiskFull(error.cause);
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
