import { Database } from "bun:sqlite";
import { Failure } from "../errors/failure.ts";

/** A held lock; released by `release`, by the end of the process, and by nothing else. */
export interface StorageLock {
  release(): void;
}

/**
 * Takes the lock of a storage folder for this process. It is SQLite's own exclusive file lock, which the kernel drops
 * with the process, so a lock left by a crash never has to be told from a live one. `undefined` when another has it.
 */
export function tryLock(file: string): StorageLock | undefined {
  const database = new Database(file, { create: true });
  try {
    database.run("PRAGMA locking_mode = EXCLUSIVE; PRAGMA busy_timeout = 0; PRAGMA journal_mode = MEMORY;");
    database.run("BEGIN EXCLUSIVE");
    return { release: () => database.close() };
  } catch (error) {
    database.close();
    if (error instanceof Error && "code" in error && error.code === "SQLITE_BUSY") return undefined;
    throw new Failure({ code: "STORAGE_FAILED", message: `cannot lock ${file}`, cause: error });
  }
}
