import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeSpoolFolder } from "./spool-folder.ts";

const parent = mkdtempSync(join(tmpdir(), "periplus-spools-"));
afterAll(() => rmSync(parent, { recursive: true }));

const hourMs = 60 * 60 * 1000;

/** A folder that was changed so long ago, with a file in it. */
function folderFrom(name: string, hoursAgo: number): string {
  const folder = join(parent, name);
  mkdirSync(folder);
  writeFileSync(join(folder, "blob"), "left");
  const changed = new Date(Date.now() - hoursAgo * hourMs);
  utimesSync(folder, changed, changed);
  return folder;
}

test("what a killed run left goes after a day; what another run has, and what is not a run's, stays", async () => {
  const forgotten = folderFrom("periplus-fill-old", 25);
  const kept = [folderFrom("periplus-fill-new", 23), folderFrom("periplus-other", 25)];
  const made = await makeSpoolFolder(parent, Date.now());
  expect([forgotten, ...kept, made].map((folder) => existsSync(folder))).toEqual([false, true, true, true]);
  expect(made.startsWith(join(parent, "periplus-fill-"))).toBe(true);
});

test("a place where no folder can be made is told as it is", async () => {
  const made = await makeSpoolFolder(join(parent, "nowhere"), Date.now()).catch(String);
  expect(made).toContain("ENOENT");
});
