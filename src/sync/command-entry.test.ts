import { expect, test } from "bun:test";
import { formatProblem } from "../config/problem.ts";
import { commandEntry } from "./command-entry.ts";
import type { EntryText } from "./file.ts";
import { describe } from "./testing/describe.ts";

function made(text: EntryText): string {
  const read = commandEntry(text);
  if (read.kind === "entry") return [describe(read.entry), ...read.warnings.map(formatProblem)].join("\n");
  return read.problems.map(formatProblem).join("\n");
}

test.each<[EntryText, string]>([
  [{ from: "registry.k8s.io/pause", to: "r.io/k8s/pause" }, "registry.k8s.io/pause:[*] -> r.io/k8s/pause"],
  [
    { from: "a.io/x", to: "r.io/**", tags: { match: "^v", newest: 3 }, platforms: ["linux/amd64"] },
    "a.io/x:[/^v/ newest 3] -> r.io/**; platforms linux/amd64",
  ],
  [
    { from: "a.io/x", to: "r.io/x", tags: { match: ["^v", "("] } },
    "command line: --match: is no regular expression that RE2",
  ],
  [{ from: "a.io/x", to: "r.io/x", tags: { semver: "x.y" } }, 'command line: --semver: "x.y" is no range of versions'],
  [{ from: "a.io/x", to: "r.io" }, "command line: to: names no repository; say r.io/** to keep"],
  [{ from: "a.io/X", to: "r.io/x" }, "command line: from: is no image, repository or registry's host"],
  [{ from: "a.io/x:1", to: "a.io/x" }, "command line: would copy a.io/x:1 onto itself"],
  [{ from: "a.io/x", to: "r.io/x", backup: "{tag}" }, "command line: --backup: is what would be overwritten itself"],
  [
    { from: "a.io/x", to: "r.io/x", backup: "old" },
    "a.io/x:[*] -> r.io/x; backup old\ncommand line: --backup: has no tag",
  ],
])("%j makes %s", (text, expected) => {
  expect(made(text)).toStartWith(expected);
});
