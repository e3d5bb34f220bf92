import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { replaceFile } from "./replace-file.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "periplus-replace-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

test("a missing folder is made, and the file is its owner's only, whatever it was before", async () => {
  const file = join(folder, "new", "config.json");
  await replaceFile(file, "one");
  writeFileSync(file, "two", { mode: 0o644 });
  await replaceFile(file, "three");
  expect([readFileSync(file, "utf8"), statSync(file).mode & 0o777]).toEqual(["three", 0o600]);
  expect(readdirSync(join(folder, "new"))).toEqual(["config.json"]);
});

test("a link stays a link", async () => {
  const [real, link] = [join(folder, "real"), join(folder, "link")];
  writeFileSync(real, "old");
  symlinkSync(real, link);
  await replaceFile(link, "new");
  expect([lstatSync(link).isSymbolicLink(), readFileSync(real, "utf8")]).toEqual([true, "new"]);
});

test("what cannot be written leaves nothing behind", async () => {
  const target = join(folder, "a-folder", "x");
  await replaceFile(join(target, "file"), "makes the folder");
  expect(replaceFile(target, "is a folder")).rejects.toThrow();
  await replaceFile(target, "again").catch(() => {});
  expect(readdirSync(join(folder, "a-folder"))).toEqual(["x"]);
});
