import { type Command, Option } from "commander";
import { type SyncFormat, syncFormats } from "../../sync/format.ts";

/** What commands that take a sync file may be told of it. */
export interface FileFlags {
  readonly file?: string;
  readonly format?: SyncFormat;
  readonly dest?: string;
  readonly scoped?: boolean;
  readonly flatten?: boolean;
  readonly appendSuffix?: string;
  readonly insecure?: boolean;
}

/** Adds the file, its form, and what files of skopeo's form leave to the command line. */
export function withFileOptions(command: Command): Command {
  return command
    .option("-f, --file <file>", "sync file: our own, regsync's, skopeo's or image-syncer's form")
    .addOption(new Option("--format <form>", "read it as this form, whatever its keys say").choices([...syncFormats]))
    .option("--dest <host[/path]>", "where images of a file of skopeo's form go")
    .option("--scoped", "put the source's host and repository behind --dest")
    .option("--flatten", "put only the last segment of the repository behind --dest")
    .option("--append-suffix <text>", "put this behind every tag of a file of skopeo's form");
}
