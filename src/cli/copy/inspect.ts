import { Command } from "commander";
import type { Platform } from "../../reference/platform.ts";
import { showSize, showSpan } from "../cache/quantities.ts";
import { exitStatus } from "../exit.ts";
import { type ImageFacts, type PlatformFacts, readImageFacts } from "./image-facts.ts";
import type { CopyIo } from "./io.ts";
import { parsePlatformOption, type ReadFlags, withReadOptions } from "./options.ts";
import { withSession } from "./session.ts";
import { table } from "./table.ts";

interface InspectFlags extends ReadFlags {
  readonly platform?: Platform;
}

const examples = `
Examples:
  periplus inspect registry.k8s.io/pause:3.10
  periplus inspect registry.k8s.io/pause:3.10 --platform linux/arm64
  periplus inspect registry.k8s.io/pause:3.10 -o json | jq '.platforms[].platform'

Manifests and configs are read, no layers. Exit status: 0 all was read, 1 it was not, 5 what refers to it is not known.
`;

/** `periplus inspect`: what an image is, without pulling it. */
export function inspectCommand(io: CopyIo): Command {
  const command = new Command("inspect")
    .description("Show an image: platforms, layers, sizes, labels, age, and what refers to it.")
    .argument("<ref>", "the image")
    .option("--platform <os/arch[/variant]>", "only this platform", parsePlatformOption);
  return withReadOptions(command)
    .addHelpText("after", examples)
    .action((text: string, flags: InspectFlags) =>
      withSession(io, flags, async (session) => {
        const facts = await readImageFacts(session, await session.places.source(text), flags.platform);
        const { view } = session;
        view.result(view.isJson ? JSON.stringify(facts) : textOf(facts, io.clock.epochMs()));
        for (const problem of facts.problems) view.note(problem);
        return facts.problems.length > 0 ? exitStatus.incomplete : exitStatus.clean;
      }),
    );
}

function textOf(facts: ImageFacts, nowMs: number): string {
  const { name, digest, mediaType, platforms, referrers } = facts;
  const head = [
    ["Name", name],
    ["Digest", digest],
    ["Type", mediaType],
  ];
  const rows = platforms.map((one) => [one.platform, one.digest, showSize(one.sizeBytes), ageOf(one, nowMs)]);
  const parts = [
    table(head),
    table([["PLATFORM", "DIGEST", "SIZE", "BUILT"], ...rows]),
    ...layersOf(platforms),
    ...labelsOf(platforms),
    referrers.length === 0
      ? "Nothing refers to it."
      : table([["REFERRER", "TYPE"], ...referrers.map((one) => [one.name, one.artifactType ?? ""])]),
  ];
  return parts.join("\n\n");
}

function ageOf({ config }: PlatformFacts, nowMs: number): string {
  const builtAtMs = Date.parse(config?.created ?? "");
  // Builds that can be repeated say 1970 or so.
  if (Number.isNaN(builtAtMs) || builtAtMs < 86_400_000) return "?";
  return `${showSpan(Math.max(0, nowMs - builtAtMs))} ago`;
}

/** Of one image the layers are shown one by one. */
function layersOf(platforms: readonly PlatformFacts[]): readonly string[] {
  const [one, ...more] = platforms;
  if (one === undefined || more.length > 0 || one.layers.length === 0) return [];
  const rows = one.layers.map(({ digest, sizeBytes, mediaType }) => [digest, showSize(sizeBytes), mediaType]);
  return [table([["LAYER", "SIZE", "TYPE"], ...rows])];
}

/** Labels that all platforms have the same. */
function labelsOf(platforms: readonly PlatformFacts[]): readonly string[] {
  const [first, ...others] = platforms.map(({ config }) => config?.labels ?? {});
  const common = Object.entries(first ?? {}).filter(([key, value]) => others.every((labels) => labels[key] === value));
  return common.length === 0
    ? []
    : [table([["LABEL", ""], ...common.map(([key, value]) => [key, value.slice(0, 200)])])];
}
