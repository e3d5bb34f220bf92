import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestFrom } from "../reference/digest.ts";
import { type ContentStore, openFileContent } from "./content.ts";
import { type Layout, layoutOf } from "./layout.ts";
import { tryLock } from "./lock.ts";

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

test("a draft is readable while it grows, and is not held before it is published", async () => {
  const draft = await content.begin(digest);
  await draft.write([new Uint8Array([1, 2]), new Uint8Array([3])], 0);
  expect([...(await draft.read(1, 9))]).toEqual([2, 3]);
  expect(content.held(digest, 3)).toBeUndefined();
  await content.publish(draft, digest);
  expect(content.held(digest, 3)).toEqual({ kind: "file", path: layout.blob(digest) });
  expect([...(await draft.read(0, 1))]).toEqual([1]);
  await draft.close();
  expect(readdirSync(layout.fills)).toEqual([]);
});

test("a file that is gone or has another size is not held", async () => {
  await publish("abc");
  expect(content.held(digest, 4)).toBeUndefined();
  truncateSync(layout.blob(digest), 0);
  expect(content.held(digest, 3)).toBeUndefined();
  await content.remove(digest);
  expect(content.held(digest, 0)).toBeUndefined();
  await content.remove(digest);
});

test("a discarded draft leaves nothing, and stays readable for who has it open", async () => {
  const draft = await content.begin(digest);
  await draft.write([new Uint8Array([7])], 0);
  await draft.discard();
  expect(readdirSync(layout.fills)).toEqual([]);
  expect([...(await draft.read(0, 1))]).toEqual([7]);
  await draft.close();
});

test("walking by shards finds what is published; left drafts are swept", async () => {
  await publish("x");
  const found: string[] = [];
  for (const shard of await content.shards()) found.push(...(await content.list(shard)));
  expect(found).toEqual([digest]);
  writeFileSync(join(layout.fills, "left.0.part"), "x");
  expect(await content.sweepDrafts()).toBe(1);
  expect(existsSync(join(layout.fills, "left.0.part"))).toBe(false);
});

test("a storage folder has one owner at a time", () => {
  const first = tryLock(layout.lock);
  expect(tryLock(layout.lock)).toBeUndefined();
  first?.release();
  const second = tryLock(layout.lock);
  expect(second).toBeDefined();
  second?.release();
});
