import { readdir } from "node:fs/promises";
import { type Clock, systemClock } from "../../registry/clock.ts";
import { type CacheIo, processIo as cacheIo } from "../cache/io.ts";
import { isTerminal } from "../output.ts";

/** The world of the commands about images. */
export interface CopyIo extends CacheIo {
  /** The names in a folder. Rejects with the system's error. */
  readonly readFolder: (path: string) => Promise<readonly string[]>;
  readonly clock: Clock;
  /** Asks a registry whether it speaks TLS, and Amazon ECR's API for a repository; nothing else goes out by it. */
  readonly fetch: (url: string, init: BunFetchRequestInit) => Promise<Response>;
  /** Reads a line that a person types, shown or not; absent where nobody can. */
  readonly prompt: ((question: string, echo: "shown" | "hidden") => Promise<string>) | undefined;
}

/** The process as it is. */
export function processIo(): CopyIo {
  const io = cacheIo();
  const isTyped = io.columns !== undefined && isTerminal(0, () => process.stdin);
  return {
    ...io,
    readFolder: (path) => readdir(path),
    clock: systemClock,
    fetch,
    prompt: isTyped ? prompt : undefined,
  };
}

const endCodes: ReadonlySet<string> = new Set(["\r", "\n", "\u0003", "\u0004"]);

/** Reads key by key, so that what is hidden is never on the screen; Ctrl-C gives nothing. */
async function prompt(question: string, echo: "shown" | "hidden"): Promise<string> {
  const { stdin, stderr } = process;
  stderr.write(question);
  stdin.setRawMode(true).resume().setEncoding("utf8");
  let typed = "";
  try {
    for await (const keys of stdin.iterator({ destroyOnReturn: false })) {
      for (const key of String(keys)) {
        if (endCodes.has(key)) return key === "\u0003" ? "" : typed;
        typed = key === "\u007f" ? typed.slice(0, -1) : typed + key;
        if (echo === "shown") stderr.write(key === "\u007f" ? "\b \b" : key);
      }
    }
    return typed;
  } finally {
    stdin.setRawMode(false).pause();
    stderr.write("\n");
  }
}
