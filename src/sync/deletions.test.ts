import { expect, test } from "bun:test";
import type { Tag } from "../reference/repository.ts";
import { tagsToDelete } from "./deletions.ts";
import { inputOf } from "./testing/world.ts";

function tags(text: string): readonly Tag[] {
  return text.split(" ").filter((tag) => tag !== "") as Tag[];
}

async function deleted(entries: readonly string[], sources: readonly string[], target: string): Promise<string> {
  const { entries: read } = await inputOf({ text: `sync:\n${entries.map((entry) => `  - ${entry}\n`).join("")}` });
  return tagsToDelete(
    tags(target),
    read.map((entry, index) => ({ entry, sourceTags: tags(sources[index] ?? "") })),
  ).join(" ");
}

const asked = "{ from: a.io/x, to: r.io/x, delete: true }";
const signature = `sha256-${"0a".repeat(32)}.sig`;

test.each([
  [[asked], ["1 2"], "1 2 3", "3"],
  [["{ from: a.io/x, to: r.io/x }"], ["1 2"], "1 2 3", ""],
  [["{ from: a.io/x, to: r.io/x, delete: true, tags: { match: ^1 } }"], ["1 2"], "1 2 3", "3"],
  [[asked], [""], "1 2 3", ""],
  [[asked], ["1"], `1 ${signature} ${signature.slice(0, 71)} sha256-x`, "sha256-x"],
  [["{ from: a.io/x, to: r.io/x, delete: true, backup: '{tag}-before-{date}' }"], ["1"], "1 9-before-20260101 9", "9"],
  [["{ from: a.io/x, to: 'r.io/x:{tag}-m', delete: true }"], ["1"], "1-m 2-m 1", "2-m 1"],
  [[asked, "{ from: b.io/x, to: r.io/x }"], ["1", "2"], "1 2 3", "3"],
  [[asked, "{ from: b.io/x, to: r.io/x }"], ["1", ""], "1 2 3", ""],
  [[asked, "{ from: b.io/x:9, to: r.io/x:nine }"], ["1", "9"], "1 9 nine 3", "9 3"],
])("%j with %j there deletes of %s: %s", async (entries, sources, target, expected) => {
  expect(await deleted(entries, sources, target)).toBe(expected);
});
