import { formatProblem } from "../../config/problem.ts";
import { loadSettings } from "../../config/load.ts";
import type { Settings } from "../../config/settings.ts";
import { asFailure } from "../../errors/failure.ts";
import type { Outcome } from "../../mirror/keeping/events.ts";
import { exitStatus } from "../exit.ts";
import type { CacheIo, Interruption } from "./io.ts";
import type { CommonOptions } from "./options.ts";
import { Screen } from "./screen.ts";
import { openSession, type Session } from "./session.ts";
import { eventsOf } from "./stream.ts";

/** How an operation is asked for and how its events read. */
export interface Operation<Row, Totals> {
  readonly path: string;
  readonly body: object;
  /** Whether a storage folder that is not there yet is made. */
  readonly mayCreate: boolean;
  readonly text: Texts<Row, Totals>;
}

/** Events in words. */
export interface Texts<Row, Totals> {
  readonly header?: string;
  readonly row: (row: Row) => string;
  readonly summary: (totals: Totals) => string;
}

const statusOf: Readonly<Record<Outcome, number>> = {
  clean: exitStatus.clean,
  failed: exitStatus.failed,
  findings: exitStatus.findings,
  incomplete: exitStatus.incomplete,
};

/** Runs an operation to its end or to the interrupt, and says the exit status. */
export async function runOperation<Row, Totals>(
  io: CacheIo,
  options: CommonOptions,
  operation: Operation<Row, Totals>,
): Promise<void> {
  const settings = await loadOrExplain(io, options);
  if (settings === undefined) return io.setStatus(exitStatus.failed);
  const screen = new Screen(io);
  const stop = new AbortController();
  const forget = io.onInterrupt((why) => stop.abort(why));
  let session: Session | undefined;
  try {
    const warn = (message: string): void => screen.note(message);
    session = await openSession({ settings, mayCreate: operation.mayCreate, io, warn });
    const response = await session.ask(operation, stop.signal);
    io.setStatus(await show(response, { screen, options, signal: stop.signal }, operation.text));
  } catch (error) {
    if (stop.signal.aborted) sayStopped(screen, stop.signal);
    else screen.note(asFailure(error, "STORAGE_FAILED", "cannot go on").message);
    io.setStatus(exitStatus.failed);
  } finally {
    forget();
    await session?.close();
  }
}

/** Who has left is told nothing. */
function sayStopped(screen: Screen, signal: AbortSignal): void {
  if (signal.reason === ("signal" satisfies Interruption)) screen.note("stopped; what is held stays");
}

interface Showing {
  readonly screen: Screen;
  readonly options: CommonOptions;
  readonly signal: AbortSignal;
}

async function show<Row, Totals>(
  response: Response,
  { screen, options, signal }: Showing,
  text: Texts<Row, Totals>,
): Promise<number> {
  const isJson = options.output === "json";
  if (!isJson && text.header !== undefined) screen.result(text.header);
  for await (const event of eventsOf<Row, Totals>(response, signal)) {
    switch (event.kind) {
      case "progress":
        screen.progress(event);
        break;
      case "result":
        screen.result(isJson ? JSON.stringify(event) : text.row(event));
        break;
      case "failure":
        screen.note(event.message);
        return exitStatus.failed;
      case "summary":
        if (isJson) screen.result(JSON.stringify(event));
        else screen.note(text.summary(event));
        return statusOf[event.outcome];
    }
  }
  if (signal.aborted) sayStopped(screen, signal);
  else screen.note("the server ended before it was done");
  return exitStatus.failed;
}

async function loadOrExplain(io: CacheIo, options: CommonOptions): Promise<Settings | undefined> {
  const { config, storage, upstream } = options;
  const loaded = await loadSettings({
    file: config,
    overrides: { storage, upstreams: upstream },
    env: io.env,
    cwd: io.cwd,
    readFile: io.readFile,
  });
  if (loaded.kind === "loaded") return loaded.settings;
  for (const problem of loaded.problems) io.stderr(`${formatProblem(problem)}\n`);
  return undefined;
}
