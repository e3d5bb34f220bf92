import { Command } from "commander";
import type { CopyIo } from "../copy/io.ts";
import { withOutputOption } from "../copy/options.ts";
import { withSession } from "../copy/session.ts";
import { withFileOptions } from "./file-flags.ts";
import { readSyncFile } from "./read-file.ts";
import { type SyncFlags, syncOnce } from "./once.ts";
import { FileRegistries } from "./registries.ts";

const examples = `
Examples:
  periplus sync -f sync.yaml                       the plan; nothing is written
  periplus sync -f sync.yaml --apply               copies, as once of regsync does
  periplus sync -f regsync.yml --apply --schedule  goes on by the file's schedules, as server of regsync does
  periplus sync -f skopeo.yaml --dest registry.example/mirror --apply
  periplus check -f sync.yaml                      the plan as a gate, as check of regsync is

A tag of the target follows its source. Where an entry says so, what a tag stood for is kept first, and tags that no source has are
deleted last. Images that are the same cost one HEAD at each end. Stopped or failed, the same command goes on from what is there.
Exit status: 0 all is there, 1 something is not or is not known, 2 typed wrongly, 5 the images are there and not all that refers to them.
Of a plan: 0 it can be carried out, 1 something of it is refused, 4 a source is missing, 5 something could not be found out.
`;

/** `periplus sync`: brings registries to what a sync file says. */
export function syncCommand(io: CopyIo): Command {
  const command = new Command("sync").description("Copy what a sync file says, now or by its schedules.");
  return withOutputOption(withFileOptions(command))
    .option("--apply", "carry the plan out")
    .option("--schedule", "go on by the file's schedules until SIGTERM")
    .option("--insecure", "plain HTTP, or a certificate that is not checked, for every registry of the file")
    .option("--create-repositories", "create repositories of Amazon ECR when a push says that there is none")
    .addHelpText("after", examples)
    .action((flags: SyncFlags) =>
      withSession(io, flags, async (session) => {
        if (flags.schedule === true) return await (await import("./by-schedule.ts")).runBySchedule(session, flags);
        const input = await readSyncFile(io, session.view, flags);
        const registries = new FileRegistries(io, input, flags.insecure === true);
        return await syncOnce(session, { input, registries, entries: input.entries, shown: "every" }, flags);
      }),
    );
}
