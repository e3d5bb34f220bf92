import { Command } from "commander";
import { planCopies } from "../../copy/planner.ts";
import { Failure } from "../../errors/failure.ts";
import { type FileFlags, withFileOptions } from "../sync/file-flags.ts";
import type { CopyIo } from "./io.ts";
import { copyOptions, type ImageFlags, withImageOptions } from "./options.ts";
import { pairsToPlan } from "./pairs.ts";
import { showPlan, statusOfPlan } from "./plan-text.ts";
import { type CopySession, withSession } from "./session.ts";

interface CheckFlags extends FileFlags, ImageFlags {}

const examples = `
Examples:
  periplus check registry.k8s.io/pause:3.10 registry.example/k8s/pause
  periplus check --all-tags registry.k8s.io/pause registry.example/k8s/pause || periplus copy --all-tags … --apply
  periplus check --all-tags --deep SRC DST                                     also signatures of images that are there
  periplus check -f sync.yaml                                                  all that a sync file says

An image that is the same at both ends costs one HEAD at each.
Exit status: 0 in sync, 1 refused, 2 typed wrongly, 3 something would be copied, 4 a source is missing, 5 something could
not be found out. Where several hold: 1, then 5, 4, 3.
`;

/** `periplus check`: whether there is anything to copy, as a gate. */
export function checkCommand(io: CopyIo): Command {
  const command = new Command("check")
    .description("Say whether images are at both ends the same; writes nothing.")
    .argument("[src]", "the image, or with --all-tags the repository")
    .argument("[dst]", "where it should be");
  return withFileOptions(withImageOptions(command))
    .addHelpText("after", examples)
    .action((from: string | undefined, to: string | undefined, flags: CheckFlags) =>
      withSession(io, flags, async (session) => {
        if (flags.file !== undefined && from === undefined) {
          const { checkFile } = await import("../sync/once.ts");
          return await checkFile(session, flags);
        }
        if (flags.file === undefined && from !== undefined && to !== undefined)
          return await check(session, { from, to }, flags);
        throw new Failure({ code: "USAGE", message: "name an image and where it should be, or a sync file with -f" });
      }),
    );
}

async function check(
  session: CopySession,
  words: { readonly from: string; readonly to: string },
  flags: ImageFlags,
): Promise<number> {
  const pairs = await pairsToPlan(session, { ...words, allTags: flags.allTags === true, referrers: flags.referrers });
  if (typeof pairs === "number") return pairs;
  const options = copyOptions(flags, true);
  const plan = await planCopies(session.parts, pairs, { options, estimate: "none" });
  showPlan(session.view, plan);
  return statusOfPlan(plan);
}
