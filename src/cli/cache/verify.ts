import { Command, InvalidArgumentError, Option } from "commander";
import { parseSize } from "../../config/size.ts";
import type { Finding, VerifyTotals } from "../../mirror/keeping/verify.ts";
import type { CacheIo } from "./io.ts";
import { type CommonOptions, withCommonOptions } from "./options.ts";
import { showCount, showSize } from "./quantities.ts";
import { runOperation, type Texts } from "./run.ts";

interface VerifyFlags extends CommonOptions {
  readonly repair?: boolean;
  readonly rate: number;
}

const examples = `
Examples:
  periplus cache verify                        read everything that is held and compare it with its digest
  periplus cache verify --repair               and remove what is bad, so that the next pull fetches it again
  periplus cache verify --rate 500MB           faster than the 100 MB a second without it

Exit status: 0 all is as its digest says, 1 failed, 2 typed wrongly, 3 something is not (also when it was
removed), 5 something could not be read.
`;

/** `periplus cache verify`: compares what is held with its digests. */
export function verifyCommand(io: CacheIo): Command {
  const command = new Command("verify")
    .description("Check everything that is held against its digest.")
    .option("--repair", "remove what is bad")
    .addOption(
      new Option("--rate <size>", "how much to read a second").argParser(rateOf).default(100_000_000, "100MB"),
    );
  return withCommonOptions(command)
    .addHelpText("after", examples)
    .action((flags: VerifyFlags) => {
      const body = { repair: flags.repair === true, bytesPerSecond: flags.rate };
      return runOperation(io, flags, { path: "/v1/cache/verify", body, mayCreate: false, text });
    });
}

const text: Texts<Finding, VerifyTotals> = {
  row: ({ problem, what, digest, detail, places, isRemoved }) => {
    const seen = places.length === 0 ? "" : `\n             seen at ${places.join(", ")}`;
    return `${problem.padEnd(12)} ${what} ${digest}: ${detail}${isRemoved ? "; removed" : ""}${seen}`;
  },
  summary: ({ blobs, manifests, bytes, findings, removed }) =>
    `${showCount(blobs, "blob")} and ${showCount(manifests, "manifest")} checked (${showSize(bytes)}): ${findings} bad, ${removed} removed`,
};

function rateOf(value: string): number {
  const rate = parseSize(value);
  if (rate === undefined || rate < 1) throw new InvalidArgumentError("It is not a size such as 100MB or 1GiB.");
  return rate;
}
