import { afterEach, beforeEach, expect, spyOn, test } from "bun:test";
import { mkdtempSync, readdirSync, readlinkSync, rmSync, statSync, symlinkSync, truncateSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { digestFrom } from "../reference/digest.ts";
import { type ContentStore, openFileContent } from "./content.ts";
import { type Layout, layoutOf } from "./layout.ts";
import { tryLock } from "./lock.ts";
import { contentContract } from "./testing/content-contract.ts";

contentContract("files", async () => {
  const layout = layoutOf(mkdtempSync(join(tmpdir(), "periplus-content-")));
  const content = await openFileContent(layout);
  return { content, layout, [Symbol.asyncDispose]: async () => rmSync(layout.root, { recursive: true }) };
});

const digest = digestFrom("sha256", "ab".repeat(32));
let layout: Layout;
let content: ContentStore;

beforeEach(async () => {
  layout = layoutOf(mkdtempSync(join(tmpdir(), "periplus-content-")));
  content = await openFileContent(layout);
});
afterEach(() => rmSync(layout.root, { recursive: true }));

async function publish(bytes: string): Promise<void> {
  const draft = await content.begin(digest);
  await draft.write([new TextEncoder().encode(bytes)], 0);
  await content.publish(draft, digest);
  await draft.close();
}

test("a file that is gone or has another size is not held", async () => {
  await publish("abc");
  expect(content.held(digest, 3)).toEqual({ kind: "file", path: layout.blob(digest) });
  expect(content.held(digest, 4)).toBeUndefined();
  truncateSync(layout.blob(digest), 0);
  expect(content.held(digest, 3)).toBeUndefined();
  await content.remove(digest);
  expect(content.held(digest, 0)).toBeUndefined();
});

test("held content has a draft, through which it cannot be changed", async () => {
  await publish("abc");
  const draft = await content.again(digest);
  expect(() => draft?.writeNow([new Uint8Array([1])], 0)).toThrow("EBADF");
  await draft?.discard();
  await draft?.close();
  expect(await Bun.file(layout.blob(digest)).text()).toBe("abc");
});

test("held content that cannot be opened has no draft, and no name is left of it", async () => {
  await publish("abc");
  rmSync(layout.blob(digest));
  symlinkSync("nowhere", layout.blob(digest));
  expect(await content.again(digest)).toBeUndefined();
  expect(readdirSync(layout.fills)).toEqual([]);
});

/** What is synced meanwhile, by its path at that moment, in order. */
async function syncedBy(work: () => Promise<void>): Promise<readonly string[]> {
  const paths: string[] = [];
  const handle = await open(layout.root);
  const handles: FileHandle = Object.getPrototypeOf(handle);
  await handle.close();
  const spy = spyOn(handles, "sync").mockImplementation(function (this: FileHandle) {
    paths.push(readlinkSync(`/proc/self/fd/${this.fd}`));
    return this.datasync();
  });
  await work();
  spy.mockRestore();
  return paths;
}

test.skipIf(process.platform !== "linux")(
  "bytes and names are on the disk, in this order, before it is published",
  async () => {
    const draft = await content.begin(digest);
    await draft.write([new Uint8Array([1, 2])], 0);
    const folder = dirname(layout.blob(digest));
    const paths = await syncedBy(() => content.publish(draft, digest));
    await draft.close();
    // The folders that had to be made are known by name to those above them before anything is in them.
    const above = [dirname(folder), dirname(dirname(folder))];
    expect(paths).toEqual([...above, draft.path, folder]);
  },
);

const otherFileSystem = "/dev/shm";
const isThere = statSync(otherFileSystem, { throwIfNoEntry: false })?.isDirectory() === true;

test.skipIf(!isThere)("what is on its way in may be in another file system", async () => {
  const scratch = mkdtempSync(join(otherFileSystem, "periplus-scratch-"));
  try {
    const apart = layoutOf({ root: layout.root, blobs: layout.root, scratch });
    const moving = await openFileContent(apart);
    const draft = await moving.begin(digest);
    await draft.write([new Uint8Array([1, 2])], 0);
    await moving.publish(draft, digest);
    await draft.close();
    expect(await Bun.file(apart.blob(digest)).bytes()).toEqual(new Uint8Array([1, 2]));
    expect([await moving.sweepDrafts(), await moving.stat(digest)]).toEqual([0, 2]);
  } finally {
    rmSync(scratch, { recursive: true });
  }
});

test("a storage folder has one owner at a time", () => {
  const first = tryLock(layout.lock);
  expect(tryLock(layout.lock)).toBeUndefined();
  first?.release();
  const second = tryLock(layout.lock);
  expect(second).toBeDefined();
  second?.release();
});
