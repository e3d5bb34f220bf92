import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestOf } from "../copy/testing/images.ts";
import { folderTarget } from "./folder-target.ts";
import { targetContract } from "./testing/target-contract.ts";

const { signal } = new AbortController();
const bytes = new TextEncoder().encode("periplus");
const digest = digestOf(bytes);

function folderIn(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "periplus-target-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}

targetContract("folder", async () => {
  const folder = folderIn();
  const inner = join(folder.path, "made", "when needed");
  return {
    target: folderTarget(inner, Date.now),
    plant: async (name, planted) => {
      mkdirSync(inner, { recursive: true });
      writeFileSync(join(inner, name), planted);
    },
    names: async () => readdirSync(inner, { recursive: false }).map(String),
    [Symbol.asyncDispose]: async () => folder[Symbol.dispose](),
  };
});

test("what a run that was killed left is swept after a day, and nothing else", async () => {
  using folder = folderIn();
  const name = (hex: string): string => `.${digest}.00000000-0000-4000-8000-${hex}.part`;
  const old = name("000000000001");
  for (const file of [old, name("000000000002"), ".sha256:x.part", digest]) {
    writeFileSync(join(folder.path, file), "");
    if (!file.endsWith("2.part")) utimesSync(join(folder.path, file), 0, 0);
  }
  await folderTarget(folder.path, Date.now).held([], signal);
  expect(readdirSync(folder.path)).not.toContain(old);
  expect(readdirSync(folder.path)).toHaveLength(3);
});

test("what is no file in its place is no knowledge, and nothing is put there", async () => {
  using folder = folderIn();
  mkdirSync(join(folder.path, digest));
  const target = folderTarget(folder.path, Date.now);
  const held = await target.held([digest], signal);
  expect([[...held.unknown], held.failure?.reason]).toEqual([[digest], "refused"]);
  const path = join(folder.path, "spooled");
  writeFileSync(path, bytes);
  expect(await target.put({ digest, sizeBytes: 8, path }, signal)).toMatchObject({ reason: "refused" });
});

test("a folder that cannot be made is said", async () => {
  using folder = folderIn();
  const path = join(folder.path, "file");
  writeFileSync(path, bytes);
  const put = await folderTarget(join(path, "below"), Date.now).put({ digest, sizeBytes: 8, path }, signal);
  expect(put).toMatchObject({ kind: "unavailable", reason: "failed" });
});
