import { Command } from "commander";
import type { WhyRow, WhyTotals } from "../../mirror/keeping/why.ts";
import { withReferences } from "./given.ts";
import type { CacheIo } from "./io.ts";
import { type CommonOptions, withCommonOptions } from "./options.ts";
import { runOperation, type Texts } from "./run.ts";
import { whyText } from "./why-text.ts";

const examples = `
Examples:
  periplus cache why registry.k8s.io/pause:3.9     by which rule, how fresh, how much of it is held
  periplus cache why sha256:…                      where a digest was seen, and what names it

Nothing is asked of an upstream, and nothing is changed.
`;

/** `periplus cache why`: explains what is held of a name, and until when. */
export function whyCommand(io: CacheIo): Command {
  const command = new Command("why")
    .description("Explain what is held of a name: by which rule, how fresh, and what would evict it.")
    .argument("<references...>", "images, or digests");
  return withCommonOptions(command)
    .addHelpText("after", examples)
    .action((words: readonly string[], options: CommonOptions) =>
      withReferences(io, { words, files: [], digests: "taken" }, (references) =>
        runOperation(io, options, { path: "/v1/cache/why", body: { references }, mayCreate: false, text: textAt(io) }),
      ),
    );
}

function textAt({ nowMs }: CacheIo): Texts<WhyRow, WhyTotals> {
  return {
    row: (row) => whyText(row, nowMs()),
    summary: ({ held, absent, failed }) => `${held} held, ${absent} not held, ${failed} not known`,
  };
}
