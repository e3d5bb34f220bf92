import { type Command, Option } from "commander";
import { formatProblem } from "../../config/problem.ts";
import { Failure } from "../../errors/failure.ts";
import { type SyncFormat, syncFormats } from "../../sync/format.ts";
import { loadSync } from "../../sync/load.ts";
import type { SyncPlanInput } from "../../sync/plan-input.ts";
import type { CopyIo } from "../copy/io.ts";
import type { View } from "../copy/view.ts";

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

/** Reads a sync file; warnings are shown. Throws a `Failure` that lists all that is wrong with it. */
export async function readSyncFile(io: CopyIo, view: View, flags: FileFlags): Promise<SyncPlanInput> {
  const { file, format, dest, scoped, flatten, appendSuffix } = flags;
  if (file === undefined) throw new Failure({ code: "USAGE", message: "name a sync file with -f" });
  const { env, cwd, readFile, readFolder } = io;
  const destination = { dest, scoped, flatten, appendSuffix };
  const loaded = await loadSync({ file, format, destination, env, cwd, readFile, readFolder });
  if (loaded.kind === "invalid") {
    throw new Failure({ code: "CONFIG_INVALID", message: loaded.problems.map(formatProblem).join("\n") });
  }
  for (const warning of loaded.warnings) view.note(formatProblem(warning));
  return loaded.input;
}
