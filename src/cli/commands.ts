import { imageCommands } from "./copy/command.ts";
import type { LazyCommand } from "./lazy-command.ts";

/** Every command, in the order of the help. */
export const commands: readonly LazyCommand[] = [
  { names: ["serve"], load: async () => (await import("./serve/command.ts")).serveCommand() },
  { names: ["cache"], load: async () => (await import("./cache/command.ts")).cacheCommand() },
  { names: ["config"], load: async () => (await import("./config.ts")).configCommand() },
  ...imageCommands,
];
