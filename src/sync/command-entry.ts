import { createFindings, type Findings, type Path, type Problem } from "../config/problem.ts";
import { checkTogether } from "./checks.ts";
import type { EntryText } from "./file.ts";
import { readOwn } from "./own.ts";
import type { SyncEntry } from "./plan-input.ts";
import type { Reading } from "./reading.ts";

/** The entry that a command line makes, checked like one of a file: what `copy --all-tags` selects and where it goes. */
export type CommandEntry =
  | { readonly kind: "entry"; readonly entry: SyncEntry; readonly warnings: readonly Problem[] }
  | { readonly kind: "invalid"; readonly problems: readonly Problem[] };

/** Reads source, target and flags as if they stood in a sync file. Problems have a flag as path, or `from` and `to`. */
export function commandEntry(text: EntryText): CommandEntry {
  const findings = createFindings("command line", () => ({ line: 0, column: 0 }));
  const reading: Reading = {
    file: "command line",
    path: "/",
    env: {},
    contents: new Map(),
    destination: {},
    findings: flagged(findings),
    placeOf: () => ({ file: "command line", line: 0, column: 0, path: "" }),
  };
  const read = readOwn(reading, { sync: [text] });
  if (read !== undefined) checkTogether(reading, read);
  const [found] = read?.entries ?? [];
  const { problems, warnings } = findings;
  if (found === undefined || problems.length > 0) return { kind: "invalid", problems };
  return { kind: "entry", entry: found.entry, warnings };
}

function flagged(findings: Findings): Findings {
  return {
    get problems() {
      return findings.problems;
    },
    get warnings() {
      return findings.warnings;
    },
    problem: (path, message, part) => findings.problem(flagOf(path), message, part),
    warning: (path, message) => findings.warning(flagOf(path), message),
  };
}

function flagOf(path: Path): Path {
  const name = path.findLast((part) => typeof part === "string");
  if (name === undefined || name === "sync") return [];
  return name === "from" || name === "to" ? [name] : [`--${name}`];
}
