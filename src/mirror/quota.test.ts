import { expect, test } from "bun:test";
import { Failure } from "../errors/failure.ts";
import type { Digest } from "../reference/digest.ts";
import type { BlobRow } from "../store/content-index.ts";
import { Quota } from "./quota.ts";

function blobOf(digest: string): BlobRow {
  return { digest: digest as Digest, sizeBytes: 10, ruleId: "r", pulledAtMs: 0 };
}

/** A store of blobs; `canRemoveRow` says, by the files that are left, whether the removal of a row can be written. */
function disk(
  digests: readonly string[],
  canRemoveRow: (files: ReadonlySet<string>) => boolean,
  { hosted = [], open = [] }: { readonly hosted?: readonly string[]; readonly open?: readonly string[] } = {},
): { readonly quota: Quota; readonly rows: Set<string>; readonly files: ReadonlySet<string> } {
  const rows = new Set(digests);
  const files = new Set(digests);
  const index = {
    blob: async (digest: Digest) => (rows.has(digest) ? blobOf(digest) : undefined),
    isHosted: async (digest: Digest) => hosted.includes(digest),
    oldest: async (_: unknown, __: number, limit: number) => [...rows].slice(0, limit).map(blobOf),
    removeBlob: async (digest: Digest) => {
      if (!canRemoveRow(files)) throw new Failure({ code: "STORAGE_FAILED", message: "disk is full" });
      rows.delete(digest);
    },
    sizes: async () => new Map([["r", 10 * rows.size]]),
    touch: async () => undefined,
  };
  const content = {
    alone: <T>(_: Digest, work: () => Promise<T>): Promise<T> => work(),
    inUse: async () => new Set(open as readonly Digest[]),
    remove: async (digest: Digest) => void files.delete(digest),
  };
  const evicted = (): undefined => undefined;
  return { quota: new Quota(index, content, () => 1e9, evicted), rows, files };
}

/** Rows can be removed once a file is gone, and not before. */
function fullDisk(digests: readonly string[]): ReturnType<typeof disk> {
  return disk(digests, (files) => files.size <= 1);
}

function roomyDisk(digests: readonly string[]): ReturnType<typeof disk> {
  return disk(digests, () => true);
}

test("a disk too full to write the removal of a row is made room on by the file", async () => {
  const { quota, rows } = fullDisk(["a", "b", "c"]);
  expect(await quota.makeRoomOnDisk(15)).toBe(true);
  expect([...rows]).toEqual(["c"]);
  expect(await quota.heldBytes("r")).toBe(10);
});

test("pulls that need room at once each get their own, and no blob is counted out twice", async () => {
  const { quota, rows } = roomyDisk(["a", "b", "c", "d"]);
  const made = await Promise.all([10, 10, 10].map((neededBytes) => quota.makeRoomFor("r", neededBytes, 30)));
  expect(made).toEqual([true, true, true]);
  expect([...rows]).toEqual(["c", "d"]);
  await Promise.all(["c", "c", "c"].map((digest) => quota.remove(blobOf(digest))));
  expect([[...rows], await quota.heldBytes("r")]).toEqual([["d"], 10]);
});

test("what came before anybody counted is counted once", async () => {
  const { quota, rows } = roomyDisk(["a"]);
  await quota.makeRoomFor("r", 10, undefined);
  rows.add("b");
  await quota.added("r", 10);
  expect(await quota.heldBytes("r")).toBe(20);
});

test("what was pulled just now stays, although the index does not know of the pull yet", async () => {
  const { quota, rows } = roomyDisk(["a", "b", "c"]);
  quota.pulled("a" as Digest);
  expect(await quota.makeRoomOnDisk(15)).toBe(true);
  expect([...rows]).toEqual(["a"]);
  await quota.flushPulls();
  expect(await quota.makeRoomOnDisk(5)).toBe(true);
  expect([...rows]).toEqual([]);
});

test("what is open stays, however long ago its pull began, and those behind it are found", async () => {
  const open = Array.from({ length: 100 }, (_, nth) => `open ${nth}`);
  const { quota, rows } = disk([...open, "a", "b"], () => true, { open });
  expect(await quota.makeRoomFor("r", 10, 1020)).toBe(true);
  expect([...rows]).toEqual([...open, "b"]);
  expect(await quota.makeRoomFor("r", 100, 1020)).toBe(false);
  expect([...rows]).toEqual(open);
});

test("who was about to send a blob that is removed still finds its file", async () => {
  const { quota, rows, files } = roomyDisk(["a"]);
  quota.pulled("a" as Digest);
  const removed = quota.remove(blobOf("a"));
  while (rows.size > 0) await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  expect([...files]).toEqual(["a"]);
  await removed;
  expect([...files]).toEqual([]);
});

test("what a repository of our own has stays, also where the removal of its row cannot be written", async () => {
  const { quota, rows, files } = disk(["a", "b"], () => false, { hosted: ["a"] });
  await quota.remove(blobOf("a"));
  expect([[...rows], [...files]]).toEqual([
    ["a", "b"],
    ["a", "b"],
  ]);
});
