import { Command } from "commander";
import { formatRepositoryName } from "../../layout/image-name.ts";
import { isSignatureTag } from "../../manifest/referrer-tags.ts";
import type { CopyIo } from "./io.ts";
import { type ReadFlags, withReadOptions } from "./options.ts";
import { found } from "./reading.ts";
import { withSession } from "./session.ts";

interface TagFlags extends ReadFlags {
  readonly all?: boolean;
}

const examples = `
Examples:
  periplus tags registry.k8s.io/pause
  periplus tags registry.k8s.io/pause --all        with the tags of signatures, attestations and SBOMs
  periplus tags bundle.tar                         what is in it; with its repository where there are several

Every page of the list is read. The order is the registry's own.
`;

/** `periplus tags`: the tags of a repository. */
export function tagsCommand(io: CopyIo): Command {
  const command = new Command("tags")
    .alias("ls")
    .description("List the tags of a repository.")
    .argument("<repository>", "the repository, or a folder or archive of images")
    .option("--all", "also tags that stand for what refers to images");
  return withReadOptions(command)
    .addHelpText("after", examples)
    .action((text: string, flags: TagFlags) =>
      withSession(io, flags, async ({ places, parts, view }) => {
        const repositories = await places.repositories(text);
        for (const { source, within } of repositories) {
          const repository = repositories.length > 1 && within !== undefined ? formatRepositoryName(within) : undefined;
          const { tags } = found(await parts.asking.ask(source, (limits) => source.listTags(limits)), source.name);
          for (const tag of tags) {
            if (flags.all !== true && isSignatureTag(tag)) continue;
            const name = repository === undefined ? tag : `${repository}:${tag}`;
            view.result(view.isJson ? JSON.stringify({ tag, repository }) : name);
          }
        }
        return 0;
      }),
    );
}
