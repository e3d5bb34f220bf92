import { Command } from "commander";
import type { RemoveRow, RemoveTotals } from "../../mirror/keeping/remove.ts";
import { withReferences } from "./given.ts";
import type { CacheIo } from "./io.ts";
import { type CommonOptions, withCommonOptions } from "./options.ts";
import { showSize } from "./quantities.ts";
import { runOperation, type Texts } from "./run.ts";

interface RmFlags extends CommonOptions {
  readonly all?: boolean;
}

const examples = `
Examples:
  periplus cache rm registry.k8s.io/pause:3.9            the tag; its manifest and layers stay
  periplus cache rm quay.io/team/app@sha256:…            that manifest or blob, in that repository
  periplus cache rm sha256:…                             that manifest or blob, wherever it was seen
  periplus cache rm --all quay.io/team/app               everything of the repository

Content that was seen in other repositories too stays for them. Pulls that run are not disturbed. The next pull of
what was removed fetches it again; upstreams are not told.
Exit status: 0 all was removed, 1 something was not held or could not be removed, 2 typed wrongly.
`;

/** `periplus cache rm`: takes tags, content by digest or repositories away. */
export function rmCommand(io: CacheIo): Command {
  const command = new Command("rm")
    .description("Remove a tag, a manifest or blob by digest, or all of a repository.")
    .argument("<references...>", "what to remove")
    .option("--all", "all of the repositories that are named: tags, lists, manifests and blobs");
  return withCommonOptions(command)
    .addHelpText("after", examples)
    .action((words: readonly string[], flags: RmFlags) =>
      withReferences(io, { words, files: [], digests: "taken" }, (references) => {
        const body = { references, all: flags.all === true };
        return runOperation(io, flags, { path: "/v1/cache/rm", body, mayCreate: false, text });
      }),
    );
}

const text: Texts<RemoveRow, RemoveTotals> = {
  row: ({ status, what, name, freedBytes, detail }) => {
    const freed = freedBytes === 0 ? "" : `, ${showSize(freedBytes)} freed`;
    return `${status.padEnd(7)} ${what === undefined ? "" : `${what} `}${name}${freed}\n        ${detail}`;
  },
  summary: ({ removed, absent, failed, freedBytes }) =>
    `${removed} removed, ${absent} not held, ${failed} failed; ${showSize(freedBytes)} freed`,
};
