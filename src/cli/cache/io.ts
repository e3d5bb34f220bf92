import { readFile } from "node:fs/promises";
import type { Environment } from "../../config/environment.ts";
import type { ReadFile } from "../../config/files.ts";
import { isTerminal, outputTo } from "../output.ts";

/** The world of a command: where it writes, what it reads, who stops it. */
export interface CacheIo {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** Columns of the terminal that stderr is; absent when it is none. */
  readonly columns: number | undefined;
  readonly setStatus: (status: number) => void;
  readonly env: Environment;
  readonly cwd: string;
  readonly readFile: ReadFile;
  readonly readStdin: () => Promise<string>;
  readonly nowMs: () => number;
  /**
   * Calls back on the first interrupt, until the returned function is called, and when nobody reads what is written any
   * more. A second interrupt ends the process.
   */
  readonly onInterrupt: (stop: (why: Interruption) => void) => () => void;
}

/** `unread`: who read the results has left, as `head` does. */
export type Interruption = "signal" | "unread";

/** The process as it is. */
export function processIo(): CacheIo {
  let stop: ((why: Interruption) => void) | undefined;
  return {
    stdout: outputTo(Bun.stdout, () => stop?.("unread")),
    stderr: outputTo(Bun.stderr),
    columns: isTerminal(2, () => process.stderr) ? process.stderr.columns || 80 : undefined,
    setStatus: (status) => {
      process.exitCode = status;
    },
    env: process.env,
    cwd: process.cwd(),
    readFile: (path) => readFile(path, "utf8"),
    readStdin: () => Bun.stdin.text(),
    nowMs: Date.now,
    onInterrupt: (given) => {
      stop = given;
      return onSignal(() => given("signal"));
    },
  };
}

const signals = ["SIGINT", "SIGTERM"] as const;

function onSignal(stop: () => void): () => void {
  // Once: the second one finds no listener and does what the system does.
  const once = (): void => {
    forget();
    stop();
  };
  const forget = (): void => {
    for (const signal of signals) process.off(signal, once);
  };
  for (const signal of signals) process.on(signal, once);
  return forget;
}
