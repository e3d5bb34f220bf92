import type { Command } from "commander";
import { checkCommand } from "./check.ts";
import { copyCommand } from "./copy.ts";
import { digestCommand, manifestCommand } from "./digest.ts";
import { inspectCommand } from "./inspect.ts";
import { type CopyIo, processIo } from "./io.ts";
import { loginCommand, logoutCommand } from "./login.ts";
import { tagsCommand } from "./tags.ts";
import { auditCommand } from "../sync/audit.ts";
import { syncCommand } from "../sync/sync.ts";

/** The commands about images that are elsewhere: copying, comparing, looking, logging in. */
export function imageCommands(io: CopyIo = processIo()): readonly Command[] {
  const output = { writeOut: io.stdout, writeErr: io.stderr };
  const commands = [
    copyCommand,
    syncCommand,
    checkCommand,
    auditCommand,
    digestCommand,
    manifestCommand,
    tagsCommand,
    inspectCommand,
    loginCommand,
    logoutCommand,
  ];
  return commands.map((make) => make(io)).map((command) => command.configureOutput(output));
}
