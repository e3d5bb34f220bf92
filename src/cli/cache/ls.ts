import { Command } from "commander";
import type { TagLine, TagTotals } from "../../mirror/keeping/list.ts";
import type { CacheIo } from "./io.ts";
import { type CommonOptions, withCommonOptions } from "./options.ts";
import { showCount, showDigest, showSize, showSpan } from "./quantities.ts";
import { runOperation, type Texts } from "./run.ts";

const examples = `
Examples:
  periplus cache ls                             every tag
  periplus cache ls registry.k8s.io/            those of one registry
  periplus cache ls quay.io/team/app:v1         those whose name begins so
  periplus cache ls -o json | jq -r 'select(.kind == "result" and (.held | not)).name'

CHECKED is how long ago the tag's upstream last confirmed it; MANIFEST is its size; HELD is "no" where only its
digest is known so far, from a HEAD.
`;

/** `periplus cache ls`: the tags that are known, as they were last seen. */
export function lsCommand(io: CacheIo): Command {
  const command = new Command("ls")
    .description("List the tags that are held.")
    .argument("[prefix]", "only names that begin so: upstream/repository:tag", "");
  return withCommonOptions(command)
    .addHelpText("after", examples)
    .action((prefix: string, options: CommonOptions) =>
      runOperation(io, options, { path: "/v1/cache/ls", body: { prefix }, mayCreate: false, text }),
    );
}

const text: Texts<TagLine, TagTotals> = {
  header: line("DIGEST", "CHECKED", "MANIFEST", "HELD", "NAME"),
  row: ({ digest, ageMs, manifestBytes, held, name }) => {
    const size = manifestBytes === undefined ? "?" : showSize(manifestBytes);
    return line(showDigest(digest), `${showSpan(ageMs)} ago`, size, held ? "yes" : "no", name);
  },
  summary: ({ tags, heldTags, heldManifests, heldBlobs, heldBytes }) =>
    `${tags} of ${showCount(heldTags, "tag")}; ${showCount(heldManifests, "manifest")} and ${showCount(heldBlobs, "blob")} (${showSize(heldBytes)}) are held in all`,
};

function line(...[digest, checked, manifest, held, name]: readonly [string, string, string, string, string]): string {
  return `${digest.padEnd(19)}  ${checked.padEnd(8)}  ${manifest.padStart(8)}  ${held.padEnd(4)}  ${name}`;
}
