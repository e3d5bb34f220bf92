import { Command } from "commander";
import { gcCommand } from "./gc.ts";
import { type CacheIo, processIo } from "./io.ts";
import { lsCommand } from "./ls.ts";
import { refreshCommand } from "./refresh.ts";
import { rmCommand } from "./rm.ts";
import { verifyCommand } from "./verify.ts";
import { warmCommand } from "./warm.ts";
import { whyCommand } from "./why.ts";

const help = `
A running server is asked over the admin socket in its storage folder; when none runs, the command opens the
folder itself. Give the server's --config (or --storage), so that both mean the same.
`;

/** `periplus cache`: what is kept, and what is done about it. */
export function cacheCommand(io: CacheIo = processIo()): Command {
  return new Command("cache")
    .description("Fill, list, check and clean what is cached.")
    .configureOutput({ writeOut: io.stdout, writeErr: io.stderr })
    .addHelpText("after", help)
    .addCommand(warmCommand(io))
    .addCommand(lsCommand(io))
    .addCommand(rmCommand(io))
    .addCommand(refreshCommand(io))
    .addCommand(verifyCommand(io))
    .addCommand(gcCommand(io))
    .addCommand(whyCommand(io));
}
