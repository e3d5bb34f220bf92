import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, utimesSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure } from "../errors/failure.ts";
import { type Layout, layoutOf } from "./layout.ts";
import { openFileUploads, type UploadStore } from "./uploads.ts";

// The contract of every store of uploads. `age` makes an upload as old as if nobody had written to it since.
interface Made {
  readonly store: UploadStore;
  readonly reopened: () => Promise<UploadStore>;
  readonly age: (id: string, writtenAtMs: number) => void;
}
const kinds: readonly [string, (layout: Layout) => Promise<Made>][] = [
  [
    "files",
    async (layout) => ({
      store: await openFileUploads(layout, true),
      reopened: () => openFileUploads(layout, true),
      age: (id, atMs) => utimesSync(join(layout.uploads, id), atMs / 1000, atMs / 1000),
    }),
  ],
];

const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

for (const [kind, make] of kinds) {
  let layout: Layout;
  let made: Made;
  beforeEach(async () => {
    layout = layoutOf(mkdtempSync(join(tmpdir(), "periplus-uploads-")));
    made = await make(layout);
  });
  afterEach(() => rmSync(layout.root, { recursive: true }));

  test(`${kind}: an upload is found again as far as it was written, after a restart too`, async () => {
    const draft = await made.store.begin("id-1");
    await draft.write([bytes("abc"), bytes("def")], 0);
    await draft.close();
    for (const store of [made.store, await made.reopened()]) {
      const found = await store.reopen("id-1");
      expect(found?.sizeBytes).toBe(6);
      expect(new TextDecoder().decode(await found?.draft.read(2, 99))).toBe("cdef");
      await found?.draft.close();
    }
    const found = await made.store.reopen("id-1");
    await found?.draft.write([bytes("ghi")], 6);
    await found?.draft.close();
    const again = await made.store.reopen("id-1");
    expect(again?.sizeBytes).toBe(9);
    await again?.draft.close();
  });

  test(`${kind}: an upload that was never begun, or was given up, is not there`, async () => {
    expect(await made.store.reopen("id-1")).toBeUndefined();
    const draft = await made.store.begin("id-1");
    await draft.discard();
    await draft.close();
    expect(await made.store.reopen("id-1")).toBeUndefined();
  });

  test(`${kind}: an id is begun once`, async () => {
    const draft = await made.store.begin("id-1");
    await draft.write([bytes("abc")], 0);
    expect(await errorOf(made.store.begin("id-1"))).toContain("EEXIST");
    expect(new TextDecoder().decode(await draft.read(0, 9))).toBe("abc");
    await draft.close();
  });

  test(`${kind}: those that nobody has written to since are removed, and no others`, async () => {
    for (const id of ["old", "older", "new"]) await (await made.store.begin(id)).close();
    made.age("old", 2_000_000);
    made.age("older", 1_000_000);
    expect(await made.store.sweep(1_000_000)).toEqual([]);
    expect(await made.store.sweep(2_000_000)).toEqual(["older"]);
    expect(await made.store.sweep(2_000_001)).toEqual(["old"]);
    expect(await made.store.reopen("old")).toBeUndefined();
    const found = await made.store.reopen("new");
    expect(found?.sizeBytes).toBe(0);
    await found?.draft.close();
  });
}

test("what cannot be opened is a failure, and leaves no file open", async () => {
  const layout = layoutOf(mkdtempSync(join(tmpdir(), "periplus-uploads-")));
  const store = await openFileUploads(layout, true);
  await mkdir(join(layout.uploads, "folder"));
  const open = (): number => readdirSync("/proc/self/fd").length;
  const before = open();
  const error = await store.reopen("folder").catch((thrown: unknown) => thrown);
  expect(error instanceof Failure ? error.code : error).toBe("STORAGE_FAILED");
  expect(open()).toBe(before);
  rmSync(layout.root, { recursive: true });
});

async function errorOf(work: Promise<unknown>): Promise<string> {
  return work.then(() => "nothing", String);
}
