import { Command } from "commander";
import { planCopies } from "../../copy/planner.ts";
import type { CopyPair } from "../../copy/pair.ts";
import type { Plan } from "../../copy/plan.ts";
import { CopyRun } from "../../copy/run.ts";
import { exitStatus } from "../exit.ts";
import type { CopyIo } from "./io.ts";
import { copyOptions, type ImageFlags, withImageOptions } from "./options.ts";
import { pairsOf, pairsToPlan } from "./pairs.ts";
import { showPlan, statusOfPlan } from "./plan-text.ts";
import { showResult, showRow } from "./rows-text.ts";
import { type CopySession, withSession } from "./session.ts";

interface CopyFlags extends ImageFlags {
  readonly apply?: boolean;
  readonly overwrite: boolean;
  readonly createRepositories?: boolean;
}

/** Blobs on their way at once, over all images. */
const blobsAtOnce = 6;

const examples = `
Examples:
  periplus copy registry.k8s.io/pause:3.10 registry.example/k8s/pause          all platforms, same digest, tag 3.10
  periplus copy nginx registry.example/nginx:v1 --platform linux/amd64         one platform; the tag names its manifest
  periplus copy --all-tags registry.k8s.io/pause registry.example/k8s/pause    the plan; nothing is written
  periplus copy --all-tags registry.k8s.io/pause registry.example/k8s/pause --apply
  periplus copy registry.k8s.io/pause:3.10 oci:images                          a folder; oci-archive:FILE, docker-archive:FILE
  periplus copy oci:images:registry.k8s.io/pause:3.10 registry.example/pause
  periplus copy --all-tags registry.k8s.io/pause bundle.tar --apply            a bundle, to carry
  periplus copy --all-tags bundle.tar 'registry.example/mirror/**' --apply     and back: each repository below mirror/

SRC and DST are [docker://]HOST/REPO[:TAG], oci:DIR[:NAME], oci-archive:FILE[:NAME], docker-archive:FILE[:NAME]. A DST
without a tag has that of SRC; HOST/PATH/** is the repository of SRC with all its segments.
Signatures, attestations and SBOMs come along: by the referrers list, and by cosign's tags.
Registries are reached by https, with docker's logins; on this machine also by plain HTTP, elsewhere with --insecure.
Stopped or failed, the same command goes on from what is there.
Exit status: 0 all is there, 1 an image is not, 2 typed wrongly, 5 the images are there and not all that refers to them.
Of a plan: 0 it can be carried out, 1 something of it is refused, 4 a source is missing, 5 something could not be found out.
`;

/** `periplus copy`: brings images from one place to another. */
export function copyCommand(io: CopyIo): Command {
  const command = new Command("copy")
    .alias("cp")
    .description("Copy images between registries, folders and archives, byte for byte.")
    .argument("<src>", "the image, or with --all-tags the repository")
    .argument("<dst>", "where to");
  return withImageOptions(command)
    .option("--no-overwrite", "leave tags of DST that stand for something else")
    .option("--apply", "with --all-tags: carry the plan out")
    .option("--create-repositories", "create a repository of Amazon ECR when a push says that there is none")
    .addHelpText("after", examples)
    .action((from: string, to: string, flags: CopyFlags) =>
      withSession(io, flags, (session) => copy(session, { from, to }, flags)),
    );
}

async function copy(
  session: CopySession,
  words: { readonly from: string; readonly to: string },
  flags: CopyFlags,
): Promise<number> {
  const isPlan = flags.allTags === true && flags.apply !== true;
  const options = copyOptions(flags, flags.overwrite);
  const meant = { ...words, allTags: flags.allTags === true, referrers: flags.referrers };
  const pairs = await (isPlan ? pairsToPlan(session, meant) : pairsOf(session, meant));
  if (typeof pairs === "number") return pairs;
  const made = flags.createRepositories === true ? await creating(session, pairs) : pairs;
  const planning = { options, estimate: isPlan ? "copies" : "none", isForCopy: !isPlan } as const;
  const plan = await planCopies(session.parts, made, planning);
  if (!isPlan) return await carryOut(session, plan, flags);
  showPlan(session.view, plan);
  if (plan.counts.copy + plan.counts.differs > 0) session.view.note("nothing is written; --apply carries it out");
  const status = statusOfPlan(plan);
  return status === exitStatus.findings ? exitStatus.clean : status;
}

/** What goes to one repository keeps one target. */
async function creating(session: CopySession, pairs: readonly CopyPair[]): Promise<readonly CopyPair[]> {
  const { creatingTargets } = await import("../sync/creating.ts");
  const creatingTarget = creatingTargets(session);
  const targets = new Map(pairs.map(({ target }) => [target, creatingTarget(target)] as const));
  return pairs.map((pair) => ({ ...pair, target: targets.get(pair.target) ?? pair.target }));
}

async function carryOut({ io, parts, places, view }: CopySession, plan: Plan, flags: CopyFlags): Promise<number> {
  const startMs = io.clock.nowMs();
  const run = new CopyRun(parts, plan, {
    options: copyOptions(flags, flags.overwrite),
    blobsAtOnce,
    onRow: (row) => showRow(view, row),
  });
  view.watch(() => run.progress);
  const result = await run.run();
  const isWhole = result.rows.every(({ status }) => status !== "failed");
  const left = await places.finish(isWhole ? "whole" : "parts");
  view.end();
  for (const line of left) view.note(line);
  return showResult(view, result, io.clock.nowMs() - startMs);
}
