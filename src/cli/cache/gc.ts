import { Command } from "commander";
import type { Waste, WasteTotals } from "../../mirror/keeping/collect.ts";
import type { CacheIo } from "./io.ts";
import { type CommonOptions, withCommonOptions } from "./options.ts";
import { showCount, showSize } from "./quantities.ts";
import { runOperation, type Texts } from "./run.ts";

interface GcFlags extends CommonOptions {
  readonly dryRun?: boolean;
}

const examples = `
Examples:
  periplus cache gc --dry-run     what would go
  periplus cache gc

What goes: files that no row speaks of (a crash left them), rows whose file is gone, links to content that is gone, and
tags and lists that were last confirmed longer ago than freshFor and serveStaleFor together. What can still be served stays;
maxSize of the rules is what bounds that. Of repositories of our own (serve: store) those blobs go that no manifest names and
nobody was told of for a day; a server does that by itself every hour.
`;

/** `periplus cache gc`: takes away what nothing needs. */
export function gcCommand(io: CacheIo): Command {
  const command = new Command("gc")
    .description("Remove what is left over and what is too old to be served.")
    .option("--dry-run", "only say what would go");
  return withCommonOptions(command)
    .addHelpText("after", examples)
    .action((flags: GcFlags) => {
      const body = { dryRun: flags.dryRun === true };
      return runOperation(io, flags, { path: "/v1/cache/gc", body, mayCreate: false, text });
    });
}

const text: Texts<Waste, WasteTotals> = {
  row: ({ what, name, freedBytes, isRemoved }) => {
    const freed = freedBytes === 0 ? "" : `  ${showSize(freedBytes)}`;
    return `${isRemoved ? "removed" : "would go"} ${what.padEnd(4)} ${name}${freed}`;
  },
  summary: ({ files, rows, links, tags, lists, own, freedBytes, isRemoved }) => {
    const counts = [
      showCount(files, "file"),
      showCount(rows, "row"),
      showCount(links, "link"),
      showCount(tags, "tag"),
      showCount(lists, "list"),
      ...(own === 0 ? [] : [`${showCount(own, "blob")} of our own`]),
    ].join(", ");
    return `${counts}; ${showSize(freedBytes)} ${isRemoved ? "freed" : "would be freed"}`;
  },
};
