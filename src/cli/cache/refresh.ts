import { Command } from "commander";
import type { RefreshRow, RefreshTotals } from "../../mirror/keeping/refresh.ts";
import { withReferences } from "./given.ts";
import type { CacheIo } from "./io.ts";
import { type CommonOptions, gather, withCommonOptions } from "./options.ts";
import { showDigest } from "./quantities.ts";
import { runOperation, type Texts } from "./run.ts";

interface RefreshFlags extends CommonOptions {
  readonly file?: readonly string[];
}

const examples = `
Examples:
  periplus cache refresh quay.io/team/app:main
  periplus cache ls -o json quay.io/team/ | jq -r 'select(.kind == "result").name' | periplus cache refresh -

The tag's upstream is asked at once, however fresh the tag is here; what the tag became is fetched, its layers with
the next pull or with cache warm.
Exit status: 0 every upstream answered, 1 one gave no word or does not have the tag, 2 typed wrongly.
`;

/** `periplus cache refresh`: asks upstreams about tags now. */
export function refreshCommand(io: CacheIo): Command {
  const command = new Command("refresh")
    .description("Check tags with their upstreams now.")
    .argument("[references...]", "tags; - reads them from standard input")
    .option("-f, --file <file>", "file of references; - is standard input; may be given again", gather);
  return withCommonOptions(command)
    .addHelpText("after", examples)
    .action((words: readonly string[], flags: RefreshFlags) =>
      withReferences(io, { words, files: flags.file ?? [], digests: "refused" }, (references) =>
        runOperation(io, flags, { path: "/v1/cache/refresh", body: { references }, mayCreate: false, text }),
      ),
    );
}

const text: Texts<RefreshRow, RefreshTotals> = {
  row: ({ status, name, digest, before, reason }) => {
    const from = before === undefined || before === digest ? "" : ` was ${showDigest(before)}`;
    const now = digest === undefined ? "" : `  ${showDigest(digest)}`;
    return `${status.padEnd(9)} ${name}${now}${from}${reason === undefined ? "" : `\n          ${reason}`}`;
  },
  summary: ({ unchanged, changed, fetched, gone, failed }) =>
    `${unchanged} unchanged, ${changed} changed, ${fetched} fetched, ${gone} gone, ${failed} failed`,
};
