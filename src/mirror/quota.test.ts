import { expect, test } from "bun:test";
import { Failure } from "../errors/failure.ts";
import type { Digest } from "../reference/digest.ts";
import { Quota } from "./quota.ts";

/** A store of blobs on a disk that is full: rows can be removed once a file is gone, and not before. */
function fullDisk(digests: readonly string[]): { readonly quota: Quota; readonly rows: Set<string> } {
  const rows = new Set(digests);
  const files = new Set(digests);
  const index = {
    oldest: async () =>
      [...rows].map((digest) => ({ digest: digest as Digest, sizeBytes: 10, ruleId: "r", pulledAtMs: 0 })),
    removeBlob: async (digest: Digest) => {
      if (files.size > 1) throw new Failure({ code: "STORAGE_FAILED", message: "disk is full" });
      rows.delete(digest);
    },
    sizes: async () => new Map([["r", 10 * digests.length]]),
  };
  const content = { remove: async (digest: Digest) => void files.delete(digest) };
  return {
    quota: new Quota(
      index,
      content,
      () => 1e9,
      () => undefined,
    ),
    rows,
  };
}

test("a disk too full to write the removal of a row is made room on by the file", async () => {
  const { quota, rows } = fullDisk(["a", "b", "c"]);
  expect(await quota.makeRoomOnDisk(15)).toBe(true);
  expect([...rows]).toEqual(["c"]);
  expect(await quota.heldBytes("r")).toBe(10);
});
