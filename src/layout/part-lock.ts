import { Database } from "bun:sqlite";
import { unlinkSync } from "node:fs";
import { asFailure, Failure } from "../errors/failure.ts";

/** Keeps other processes from writing the same archive. */
export interface PartLock {
  release(): void;
}

/**
 * Takes the lock beside an archive that is being written. It is SQLite's own file lock, which the kernel drops with the
 * process: one left by a kill is no hindrance. Throws a `Failure` (STORAGE_LOCKED) when another process writes the archive.
 */
export function lockPart(part: string): PartLock {
  const file = `${part}.lock`;
  try {
    const database = new Database(file, { create: true });
    try {
      database.run("PRAGMA locking_mode = EXCLUSIVE; PRAGMA busy_timeout = 0; PRAGMA journal_mode = MEMORY;");
      database.run("BEGIN EXCLUSIVE");
    } catch (error) {
      database.close();
      throw error;
    }
    return {
      release() {
        unlinkSync(file);
        database.close();
      },
    };
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "SQLITE_BUSY") {
      throw new Failure({
        code: "STORAGE_LOCKED",
        message: `${part} is being written by another process`,
        cause: error,
      });
    }
    throw asFailure(error, "STORAGE_FAILED", `cannot write ${part}`);
  }
}
