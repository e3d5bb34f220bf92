import type { CopyWorld } from "../../copy/asking.ts";
import { createParts, type RunParts } from "../../copy/parts.ts";
import { asFailure } from "../../errors/failure.ts";
import type { Interruption } from "../cache/io.ts";
import { exitStatus } from "../exit.ts";
import type { CopyIo } from "./io.ts";
import { Places } from "./places.ts";
import { NamedRegistries, type ReachFlags } from "./registries.ts";
import { View } from "./view.ts";

/** What a command works with while it runs. */
export interface CopySession {
  readonly io: CopyIo;
  readonly parts: RunParts;
  readonly places: Places;
  readonly registries: NamedRegistries;
  readonly view: View;
  readonly signal: AbortSignal;
}

/** Runs a command about images to its end or to the interrupt, and says the exit status that it gives. */
export async function withSession(
  io: CopyIo,
  flags: ReachFlags & { readonly output?: string; readonly schedule?: boolean },
  act: (session: CopySession) => Promise<number>,
): Promise<void> {
  const stop = new AbortController();
  const forget = io.onInterrupt((why) => stop.abort(why));
  const view = new View(io, flags.output === "json" ? "json" : "text");
  const registries = new NamedRegistries(io, flags);
  const world: CopyWorld = { clock: io.clock, signal: stop.signal, note: (message) => view.note(message) };
  await using places = new Places(io, registries, stop.signal);
  try {
    const status = await act({ io, parts: createParts(world), places, registries, view, signal: stop.signal });
    if (stop.signal.reason === ("signal" satisfies Interruption)) view.note("stopped; what is there stays");
    // What goes on until it is stopped has come to its end then.
    io.setStatus(stop.signal.aborted && flags.schedule !== true ? exitStatus.failed : status);
  } catch (error) {
    const failure = asFailure(error, "STORAGE_FAILED", "cannot go on");
    view.note(failure.message);
    io.setStatus(failure.code === "USAGE" ? exitStatus.usage : exitStatus.failed);
  } finally {
    view.end();
    forget();
  }
}
