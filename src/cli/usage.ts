import type { Command } from "commander";
import { exitStatus } from "./exit.ts";

/** Makes a command and all below it end with our status for what was typed wrongly, in place of commander's 1. `exit` must not return. */
export function exitOnUsage(command: Command, exit: (status: number) => never): Command {
  command.exitOverride((error) => exit(error.exitCode === 0 ? exitStatus.clean : exitStatus.usage));
  for (const inner of command.commands) exitOnUsage(inner, exit);
  return command;
}
