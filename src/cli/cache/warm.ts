import { Command, InvalidArgumentError } from "commander";
import type { WarmRow, WarmTotals } from "../../mirror/keeping/warm.ts";
import { parsePlatform } from "../../reference/platform.ts";
import { showCount, showDigest, showSize } from "./quantities.ts";
import type { CacheIo } from "./io.ts";
import { type CommonOptions, gather, withCommonOptions } from "./options.ts";
import { withReferences } from "./given.ts";
import { runOperation, type Texts } from "./run.ts";

interface WarmFlags extends CommonOptions {
  readonly file?: readonly string[];
  readonly platform?: readonly string[];
  readonly referrers?: boolean;
}

const examples = `
Examples:
  periplus cache warm registry.k8s.io/pause:3.9 nginx
  periplus cache warm -f images.txt --platform linux/amd64 --platform linux/arm64
  kubectl get pods -A -o jsonpath='{range .items[*].spec.containers[*]}{.image}{"\\n"}{end}' | sort -u | periplus cache warm -
  periplus cache warm --referrers quay.io/team/app@sha256:…   with its signatures, attestations and SBOMs

A file has one reference a line; # begins a comment. All is read and checked before anything starts.
Without --platform every platform of an image is taken, attestations included.
Exit status: 0 all is held, 1 an image is not, 2 typed wrongly, 5 an upstream gave no word whether what is held is current.
`;

/** `periplus cache warm`: fills the cache ahead of the pulls. */
export function warmCommand(io: CacheIo): Command {
  const command = new Command("warm")
    .description("Fill the cache ahead of the pulls: manifests, configs and layers of images.")
    .argument("[references...]", "images, as anywhere; - reads them from standard input")
    .option("-f, --file <file>", "file of references; - is standard input; may be given again", gather)
    .option("--platform <os/arch[/variant]>", "only this platform of each image; may be given again", gatherPlatform)
    .option("--referrers", "also what refers to the images: signatures, attestations, SBOMs");
  return withCommonOptions(command)
    .addHelpText("after", examples)
    .action((words: readonly string[], flags: WarmFlags) =>
      withReferences(io, { words, files: flags.file ?? [], digests: "refused" }, (references) => {
        const body = { references, platforms: flags.platform ?? [], referrers: flags.referrers === true };
        return runOperation(io, flags, { path: "/v1/cache/warm", body, mayCreate: true, text });
      }),
    );
}

const text: Texts<WarmRow, WarmTotals> = {
  row: (row) => [`${row.status.padEnd(7)} ${row.name}${figures(row)}`, ...reasons(row)].join("\n"),
  summary: ({ warmed, held, stale, failed, fetchedBytes }) => {
    const checked = stale === 0 ? "" : `, ${stale} held but not checked`;
    return `${warmed} warmed, ${held} already held${checked}, ${failed} failed; ${showSize(fetchedBytes)} fetched`;
  },
};

function figures({ digest, manifests, blobs, sizeBytes, fetchedBytes }: WarmRow): string {
  if (digest === undefined) return "";
  const made = `${showCount(manifests, "manifest")}, ${showCount(blobs, "blob")}, ${showSize(sizeBytes)}`;
  return `  ${showDigest(digest)}  ${made}, ${showSize(fetchedBytes)} fetched`;
}

function reasons({ failures, warnings }: WarmRow): readonly string[] {
  return [...failures, ...warnings].map((reason) => `        ${reason}`);
}

function gatherPlatform(value: string, before?: readonly string[]): readonly string[] {
  if (parsePlatform(value) === undefined) throw new InvalidArgumentError("It is not os/architecture[/variant].");
  return gather(value, before);
}
