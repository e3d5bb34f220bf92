import { Command } from "commander";
import { readdir, readFile } from "node:fs/promises";
import { systemClock } from "../../../registry/clock.ts";
import { exitOnUsage } from "../../usage.ts";
import type { Interruption } from "../../cache/io.ts";
import { loadFor } from "../../lazy-command.ts";
import { imageCommands } from "../command.ts";
import type { CopyIo } from "../io.ts";

/** What a command came to. */
export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What the world of a command is different in. */
export interface RunOptions extends Partial<CopyIo> {
  /** Given a way to interrupt the command. */
  readonly interruptible?: (interrupt: () => void) => void;
}

class Exit extends Error {
  readonly status: number;

  constructor(status: number) {
    super();
    this.status = status;
  }
}

/** Runs `periplus WORDS` in this process. */
export async function run(words: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const said = { stdout: "", stderr: "" };
  let status = 0;
  const io: CopyIo = {
    stdout: (text) => (said.stdout += text),
    stderr: (text) => (said.stderr += text),
    columns: undefined,
    setStatus: (set) => (status = set),
    env: {},
    cwd: "/",
    readFile: (path) => readFile(path, "utf8"),
    readFolder: (path) => readdir(path),
    readStdin: () => Promise.resolve(""),
    nowMs: Date.now,
    onInterrupt: (stop: (why: Interruption) => void) => {
      options.interruptible?.(() => stop("signal"));
      return () => {};
    },
    clock: systemClock,
    fetch,
    prompt: undefined,
    ...options,
  };
  const program = new Command("periplus");
  const commands = imageCommands.map(({ names, load }) => ({ names, load: () => load(io) }));
  for (const command of await loadFor(words, commands)) program.addCommand(command);
  const exit = (ended: number): never => {
    throw new Exit(ended);
  };
  try {
    await exitOnUsage(program, exit).parseAsync(words, { from: "user" });
  } catch (error) {
    if (!(error instanceof Exit)) throw error;
    ({ status } = error);
  }
  return { status, ...said };
}

/** The lines of JSON that a command printed. */
export function linesOf({ stdout }: Ran): readonly Readonly<Record<string, unknown>>[] {
  return stdout
    .split("\n")
    .flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Readonly<Record<string, unknown>>]));
}
