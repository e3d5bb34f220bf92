import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { Command, InvalidArgumentError } from "commander";
import { type FillPlan, sumsOf } from "../../fill/plan.ts";
import { planFill } from "../../fill/planner.ts";
import { FillRun } from "../../fill/run.ts";
import { parseSample, type Sample } from "../../fill/sample.ts";
import { verifyTargets } from "../../fill/verify.ts";
import type { Platform } from "../../reference/platform.ts";
import { gather } from "../cache/options.ts";
import type { CopyIo } from "../copy/io.ts";
import { parsePlatformOption, type ReadFlags, withReadOptions } from "../copy/options.ts";
import { type CopySession, withSession } from "../copy/session.ts";
import { exitStatus } from "../exit.ts";
import { showPlan, statusOfPlan, sumText } from "./plan-text.ts";
import { showImage, showResult } from "./rows-text.ts";
import { makeSpoolFolder } from "./spool-folder.ts";
import { targetsOf } from "./targets.ts";
import { showVerified } from "./verify-text.ts";
import { wantedOf } from "./wanted.ts";

interface FillFlags extends ReadFlags {
  readonly to?: readonly string[];
  readonly file?: readonly string[];
  readonly allTags?: boolean;
  readonly catalog?: readonly string[];
  readonly platform?: readonly Platform[];
  readonly apply?: boolean;
  readonly verify?: Sample | true;
}

/** Blobs on their way at once. */
const blobsAtOnce = 6;
/** What is read again when nobody says how much. */
const sampleByDefault: Sample = { kind: "count", count: 100 };

const examples = `
Examples:
  periplus fill registry.k8s.io/pause:3.10 --to 's3://bucket/containers/images?region=eu-west-1'    the plan
  periplus fill registry.k8s.io/pause:3.10 --to 's3://bucket/containers/images?region=eu-west-1' --apply
  periplus fill --all-tags registry.k8s.io/pause registry.k8s.io/etcd --to 's3://one?region=r' --to 's3://two?region=s' --apply
  periplus fill -f images.txt --config periplus.yaml --apply         every bucket of the file that has a fill
  periplus fill --catalog registry.example/team --to /srv/blobs      every tag of every repository that it lists there
  periplus fill -f images.txt --config periplus.yaml --verify=5%     hashes a share of what the buckets hold
  periplus fill -f images.txt --config periplus.yaml --verify=all --apply   and puts what is wrong or missing

Without --apply nothing is written. A bucket may have ?region, endpoint, profile, pathStyle and insecure behind it; its keys
are those that AWS's own programs find. A folder is for a web server that shows it. A blob goes to PREFIX/sha256:HEX.
Each blob is read once, from the first bucket that has it, else from its registry, into the temporary folder (TMPDIR).
Stopped or failed, the same command goes on from what is there.
Exit status: 0 all is in all buckets, 1 something is not, 2 typed wrongly. Of a plan: 0 it can be carried out, 1 an image is
refused, 3 a bucket has an object of another size, 4 an image is missing, 5 something could not be found out.
Of --verify without --apply: 0 all is right, 3 something is missing or wrong, 5 something could not be read.
`;

/** `periplus fill`: puts the blobs of images into the buckets that redirects lead to. */
export function fillCommand(io: CopyIo): Command {
  const command = new Command("fill")
    .description("Put the blobs of images into the buckets that redirects lead to.")
    .argument("[references...]", "images, as for copy; with --all-tags repositories; - reads them from standard input")
    .option("--to <place>", "s3://BUCKET/PREFIX?region=REGION, or a folder; may be given again", gather)
    .option("-f, --file <file>", "file of references, one a line; - is standard input; may be given again", gather)
    .option("--all-tags", "every tag of the repositories that are named")
    .option(
      "--catalog <host[/path]>",
      "every tag of every repository that a registry lists; may be given again",
      gather,
    )
    .option("--platform <os/arch[/variant]>", "only this platform of each image; may be given again", gatherPlatform)
    .option("--apply", "carry the plan out")
    .option("--verify [N|P%|all]", "hash so much of what each bucket holds; 100 blobs without a number", sampleOption);
  return withReadOptions(command)
    .addHelpText("after", examples)
    .action((words: readonly string[], flags: FillFlags) =>
      withSession(io, flags, (session) => fill(session, words, flags)),
    );
}

async function fill(session: CopySession, words: readonly string[], flags: FillFlags): Promise<number> {
  const { io, parts, view, signal } = session;
  const targets = await targetsOf(io, flags);
  const { images, lost } = await wantedOf(session, words, flags);
  const plan = await planFill(parts, { images, lost, targets, platforms: flags.platform ?? [] });
  if (signal.aborted) return exitStatus.failed;
  if (flags.verify !== undefined) return await verify(session, plan, flags);
  if (flags.apply === true) return await carryOut(session, plan, "nothing");
  showPlan(view, plan);
  if (sumsOf(plan).puts > 0) view.note("nothing is written; --apply carries it out");
  return statusOfPlan(plan);
}

async function verify(session: CopySession, plan: FillPlan, { verify: given, apply }: FillFlags): Promise<number> {
  const { parts, view } = session;
  const sample = given === true || given === undefined ? sampleByDefault : given;
  const verified = await verifyTargets(parts.asking, plan, { sample, random: Math.random });
  const status = showVerified(view, verified.rows);
  if (apply !== true) return worst(status, statusOfPlan(plan));
  const applied = await carryOut(session, verified.plan, "wrong bytes");
  return status === exitStatus.incomplete ? worst(applied, status) : applied;
}

/** Of several that hold, in the order of `exit.ts`: failed, incomplete, replacement, findings. */
function worst(one: number, other: number): number {
  const order: readonly number[] = [
    exitStatus.failed,
    exitStatus.incomplete,
    exitStatus.replacement,
    exitStatus.findings,
  ];
  return order.find((status) => status === one || status === other) ?? exitStatus.clean;
}

async function carryOut(
  { io, parts, view }: CopySession,
  plan: FillPlan,
  replaces: "nothing" | "wrong bytes",
): Promise<number> {
  const startMs = io.clock.nowMs();
  if (!view.isJson) view.note(sumText(plan));
  const spoolFolder = await makeSpoolFolder(tmpdir(), io.clock.epochMs());
  try {
    const run = new FillRun(parts.asking, plan, {
      spoolFolder,
      blobsAtOnce,
      mayReplace: replaces === "wrong bytes",
      onRow: (row) => showImage(view, row),
    });
    view.watch(() => run.progress);
    const result = await run.run();
    view.end();
    return showResult(view, result, io.clock.nowMs() - startMs);
  } finally {
    await rm(spoolFolder, { recursive: true, force: true });
  }
}

function sampleOption(value: string): Sample {
  const sample = parseSample(value);
  if (sample === undefined) throw new InvalidArgumentError("It is not all, a number of blobs or a share such as 5%.");
  return sample;
}

function gatherPlatform(value: string, before: readonly Platform[] = []): readonly Platform[] {
  return [...before, parsePlatformOption(value)];
}
