import type { Unavailable } from "../registry/remote.ts";
import { unavailable } from "../registry/unavailable.ts";

/** What a disk refused to do, as the answer of a place. */
export function diskFailure(asked: string, error: unknown): Unavailable {
  const isDenied = hasCode(error, "EACCES") || hasCode(error, "EPERM") || hasCode(error, "EROFS");
  const reason = error instanceof Error ? error.message : String(error);
  return unavailable(isDenied ? "denied" : "failed", `${asked}: ${reason}`);
}

/** True for an error of the system with this code. */
export function hasCode(error: unknown, code: string): boolean {
  return typeof error === "object" && error !== null && "code" in error && error.code === code;
}
