import { afterEach, beforeEach, expect, spyOn, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Draft, newFile, OpenDrafts, openDraft } from "./draft.ts";

const half = new Uint8Array(32 * 1024 * 1024);
let folder: string;
let drafts: OpenDrafts;
let draft: Draft;
/** What the draft's file handle is asked for, in order. */
let asked: string[];
let restore: () => void;
/** What a sync behind the writing comes to. */
let behind: Promise<void>;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "periplus-draft-"));
  const handle = await open(folder);
  const handles: FileHandle = Object.getPrototypeOf(handle);
  await handle.close();
  asked = [];
  behind = Promise.resolve();
  const note = (what: string, done: () => Promise<void>) => (): Promise<void> => {
    asked.push(what);
    return done();
  };
  const spies = [
    spyOn(handles, "datasync").mockImplementation(note("datasync", () => behind)),
    spyOn(handles, "sync").mockImplementation(note("sync", () => Promise.resolve())),
  ];
  restore = () => spies.forEach((spy) => spy.mockRestore());
  drafts = new OpenDrafts(true);
  draft = await openDraft(join(folder, "a"), newFile, drafts);
});
afterEach(() => {
  restore();
  rmSync(folder, { recursive: true });
});

test("what is written goes on to the disk as it comes, 64 MiB at a time, and all of it at the end", async () => {
  draft.writeNow([half], 0);
  expect(asked).toEqual([]);
  await draft.write([half], half.byteLength);
  expect(asked).toEqual(["datasync"]);
  await draft.sync();
  expect(asked).toEqual(["datasync", "sync"]);
  await draft.close();
});

test("one file of a store is synced behind the writing at a time, and none is synced or closed while it is", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  behind = promise;
  const other = await openDraft(join(folder, "b"), newFile, drafts);
  for (const each of [draft, other]) for (let at = 0; at < 3; at++) each.writeNow([half], at * half.byteLength);
  const ended: string[] = [];
  const synced = draft.sync().then(() => ended.push("synced"));
  const closed = draft.close().then(() => ended.push("closed"));
  await Bun.sleep(20);
  expect([asked, ended]).toEqual([["datasync"], []]);
  resolve();
  await Promise.all([synced, closed]);
  expect(asked).toEqual(["datasync", "sync"]);
  other.writeNow([half.subarray(0, 1)], 0);
  expect(asked).toEqual(["datasync", "sync", "datasync"]);
  await other.close();
});

test("a sync that failed behind the writing is never made good by a later one", async () => {
  behind = Promise.reject(new Error("EIO"));
  draft.writeNow([half, half], 0);
  const failures = [];
  for (let time = 0; time < 2; time++) failures.push(await draft.sync().catch((error: Error) => error.message));
  draft.writeNow([half, half], 0);
  expect([failures, asked]).toEqual([["EIO", "EIO"], ["datasync"]]);
  await draft.close();
});

test("a file that is read into a bucket is not sent on to the disk", async () => {
  const passing = await openDraft(join(folder, "b"), newFile, new OpenDrafts(false));
  for (let at = 0; at < 3; at++) passing.writeNow([half], at * half.byteLength);
  await passing.close();
  expect(asked).toEqual([]);
});
