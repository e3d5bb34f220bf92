import type { Command } from "commander";
import type { LazyCommand } from "../lazy-command.ts";
import type { CopyIo } from "./io.ts";

/** A command about images that are elsewhere; without a world of its own it has the process as it is. */
interface ImageCommand extends LazyCommand {
  readonly load: (io?: CopyIo) => Promise<Command>;
}

/** The commands about images that are elsewhere: copying, comparing, filling buckets, looking, logging in. */
export const imageCommands: readonly ImageCommand[] = [
  imageCommand(["copy", "cp"], async () => (await import("./copy.ts")).copyCommand),
  imageCommand(["sync"], async () => (await import("../sync/sync.ts")).syncCommand),
  imageCommand(["check"], async () => (await import("./check.ts")).checkCommand),
  imageCommand(["audit"], async () => (await import("../sync/audit.ts")).auditCommand),
  imageCommand(["fill"], async () => (await import("../fill/command.ts")).fillCommand),
  imageCommand(["digest"], async () => (await import("./digest.ts")).digestCommand),
  imageCommand(["manifest"], async () => (await import("./digest.ts")).manifestCommand),
  imageCommand(["tags", "ls"], async () => (await import("./tags.ts")).tagsCommand),
  imageCommand(["inspect"], async () => (await import("./inspect.ts")).inspectCommand),
  imageCommand(["login"], async () => (await import("./login.ts")).loginCommand),
  imageCommand(["logout"], async () => (await import("./login.ts")).logoutCommand),
];

function imageCommand(names: readonly string[], load: () => Promise<(io: CopyIo) => Command>): ImageCommand {
  return {
    names,
    load: async (given) => {
      const make = await load();
      const io = given ?? (await import("./io.ts")).processIo();
      return make(io).configureOutput({ writeOut: io.stdout, writeErr: io.stderr });
    },
  };
}
