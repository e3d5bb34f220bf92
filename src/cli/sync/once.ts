import { createParts } from "../../copy/parts.ts";
import { Ends } from "../../job/ends.ts";
import { type JobPlan, type JobWorld, planJob } from "../../job/plan.ts";
import type { SyncEntry, SyncPlanInput } from "../../sync/plan-input.ts";
import type { ReadFlags } from "../copy/options.ts";
import type { CopySession } from "../copy/session.ts";
import { exitStatus } from "../exit.ts";
import { carryOut, type Shown } from "./carry-out.ts";
import type { FileFlags } from "./file-flags.ts";
import { readSyncFile } from "./read-file.ts";
import { showJobPlan, showProblems, statusOfJob } from "./plan-text.ts";
import { FileRegistries } from "./registries.ts";

/** What `periplus sync` may be told. */
export interface SyncFlags extends FileFlags, ReadFlags {
  readonly apply?: boolean;
  readonly schedule?: boolean;
  readonly createRepositories?: boolean;
}

/** What one run is about. */
export interface SyncRun {
  readonly input: SyncPlanInput;
  readonly registries: FileRegistries;
  /** Those of the input that are due. */
  readonly entries: readonly SyncEntry[];
  readonly shown: Shown;
}

/** One run: the plan and, with `--apply`, what comes of it. Gives the exit status. */
export async function syncOnce(
  session: Pick<CopySession, "io" | "signal" | "view">,
  run: SyncRun,
  flags: Pick<SyncFlags, "apply" | "createRepositories">,
): Promise<number> {
  const { view } = session;
  const isCreating = flags.createRepositories === true || run.input.createRepositories;
  const finish = isCreating ? (await import("./creating.ts")).creatingTargets(session) : undefined;
  const ends = new Ends(run.registries, finish);
  const { world, plan } = await planRun(session, { ...run, ends }, flags.apply === true ? "none" : "copies");
  if (plan.problems.length > 0) {
    showProblems(view, plan);
    view.note("nothing is written");
    return exitStatus.failed;
  }
  if (flags.apply === true) return await carryOut(session, world, plan, run);
  showJobPlan(view, plan);
  const status = statusOfJob(plan);
  if (status === exitStatus.clean) return status;
  view.note("nothing is written; --apply carries it out");
  return status === exitStatus.findings ? exitStatus.clean : status;
}

/** The plan of a whole file as a gate. */
export async function checkFile(session: CopySession, flags: FileFlags): Promise<number> {
  const { io, view } = session;
  const input = await readSyncFile(io, view, flags);
  const ends = new Ends(new FileRegistries(io, input, flags.insecure === true));
  const { plan } = await planRun(session, { input, ends, entries: input.entries }, "none");
  if (plan.problems.length > 0) showProblems(view, plan);
  else showJobPlan(view, plan);
  return statusOfJob(plan);
}

async function planRun(
  { io, view, signal }: Pick<CopySession, "io" | "signal" | "view">,
  { input, ends, entries }: Pick<SyncRun, "entries" | "input"> & { readonly ends: Ends },
  estimate: "copies" | "none",
): Promise<{ readonly world: JobWorld; readonly plan: JobPlan }> {
  const parts = createParts({ clock: io.clock, signal, note: (message) => view.note(message) });
  const world = { parts, ends, epochMs: () => io.clock.epochMs() };
  const plan = await planJob(world, { entries, allEntries: input.entries, estimate, referrers: "asked" });
  return { world, plan };
}
