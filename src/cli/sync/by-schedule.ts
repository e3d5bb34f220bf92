import { asFailure, Failure } from "../../errors/failure.ts";
import { Timetable } from "../../job/timetable.ts";
import { pause } from "../../registry/clock.ts";
import type { SyncEntry, SyncPlanInput } from "../../sync/plan-input.ts";
import { showCount, showTime } from "../cache/quantities.ts";
import type { CopySession } from "../copy/session.ts";
import { exitStatus } from "../exit.ts";
import { readSyncFile } from "./read-file.ts";
import { FileRegistries } from "./registries.ts";
import { type SyncFlags, syncOnce } from "./once.ts";

/** A file is looked at so often, and at each run. */
const lookMs = 30_000;

/** A file as it was read, and what runs by it. */
interface Loaded {
  readonly input: SyncPlanInput;
  readonly registries: FileRegistries;
  readonly timetable: Timetable;
  /** What stood in the file and in those that it names. */
  readonly text: string;
}

/**
 * Runs what is due, one run at a time, until the signal. The first run is at once; a changed file is read again and run at once, and
 * one that is wrong is passed over. Gives the exit status of who was told to stop.
 */
export async function runBySchedule(session: CopySession, flags: SyncFlags): Promise<number> {
  const { io, signal, view } = session;
  let loaded = await load(session, flags);
  if (loaded.input.entries.every(({ schedule }) => schedule === undefined)) {
    throw new Failure({ code: "USAGE", message: `${flags.file} has no schedule; run it without --schedule` });
  }
  while (!signal.aborted) {
    loaded = await reloaded(session, flags, loaded);
    const nowMs = io.clock.epochMs();
    const entries = loaded.timetable.due(nowMs);
    if (entries.length > 0) {
      await runOnce(session, flags, loaded, entries);
      loaded.timetable.ran(entries, nowMs);
      const nextAtMs = loaded.timetable.nextAtMs();
      if (nextAtMs !== undefined && !signal.aborted) view.note(`the next run is at ${showTime(nextAtMs)}`);
    }
    const nextAtMs = loaded.timetable.nextAtMs() ?? Number.POSITIVE_INFINITY;
    await pause(io.clock, Math.min(lookMs, nextAtMs - io.clock.epochMs()), signal);
  }
  return exitStatus.clean;
}

/** What cannot be done now may be done the next time. */
async function runOnce(
  session: CopySession,
  flags: SyncFlags,
  loaded: Loaded,
  entries: readonly SyncEntry[],
): Promise<void> {
  const { io, view } = session;
  const { input, registries } = loaded;
  view.note(`${showTime(io.clock.epochMs())} run of ${entries.length} of ${showCount(input.entries.length, "line")}`);
  try {
    await syncOnce(session, { input, registries, entries, shown: "changes" }, flags);
  } catch (error) {
    view.end();
    view.note(asFailure(error, "STORAGE_FAILED", "this run").message);
  }
}

async function load(session: CopySession, flags: SyncFlags): Promise<Loaded> {
  const { io, view } = session;
  const input = await readSyncFile(io, view, flags);
  return {
    input,
    registries: new FileRegistries(io, input, flags.insecure === true),
    timetable: new Timetable(input.entries, io.clock.epochMs()),
    text: await textOf(session, input),
  };
}

async function reloaded(session: CopySession, flags: SyncFlags, before: Loaded): Promise<Loaded> {
  const text = await textOf(session, before.input);
  if (text === before.text) return before;
  try {
    const after = await load(session, flags);
    session.view.note(`${flags.file} has changed and was read again`);
    return after;
  } catch (error) {
    session.view.note(`${asFailure(error, "CONFIG_INVALID", "read again").message}\nit stays as it was read before`);
    return { ...before, text };
  }
}

/** What cannot be read counts as empty: it was readable, or no file, when it was loaded. */
async function textOf({ io }: CopySession, { files }: SyncPlanInput): Promise<string> {
  const texts = await Promise.all(files.map((file) => io.readFile(file).catch(() => "")));
  return texts.join("\0");
}
