import { formatProblem } from "../../config/problem.ts";
import { Failure } from "../../errors/failure.ts";
import { loadSync } from "../../sync/load.ts";
import type { SyncPlanInput } from "../../sync/plan-input.ts";
import type { CopyIo } from "../copy/io.ts";
import type { View } from "../copy/view.ts";
import type { FileFlags } from "./file-flags.ts";

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
