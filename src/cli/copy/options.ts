import { type Command, InvalidArgumentError, Option } from "commander";
import type { CopyOptions } from "../../copy/pair.ts";
import { parsePlatform, type Platform } from "../../reference/platform.ts";
import type { ReachFlags } from "./registries.ts";

/** What every command that reads images may be told. */
export interface ReadFlags extends ReachFlags {
  readonly output: "json" | "table";
}

/** What commands that compare or copy may be told of the images. */
export interface ImageFlags extends ReadFlags {
  readonly platform?: readonly Platform[];
  readonly newIndex?: boolean;
  readonly allTags?: boolean;
  readonly referrers: boolean;
  readonly deep?: boolean;
}

/** Adds how registries are reached and how results are written. */
export function withReadOptions(command: Command): Command {
  return withOutputOption(command)
    .option("--config <file>", "configuration file (YAML) whose upstreams say how registries are reached")
    .option("--insecure", "plain HTTP, or a certificate that is not checked, for every registry that is named");
}

/** Adds how results are written. */
export function withOutputOption(command: Command): Command {
  return command.addOption(
    new Option("-o, --output <format>", "a table for people, or JSON a line")
      .choices(["table", "json"])
      .default("table"),
  );
}

/** Adds which images, and what of them. */
export function withImageOptions(command: Command): Command {
  return withReadOptions(command)
    .option("--platform <os/arch[/variant]>", "only this platform of each image; may be given again", gatherPlatform)
    .option("--new-index", "with several platforms: make an index of just these, with a digest of its own")
    .option("--all-tags", "every tag of the repository SRC")
    .option("--no-referrers", "without signatures, attestations and SBOMs")
    .option("--deep", "believe nothing: ask for every blob, and compare the referrers of what is there");
}

/** The options of a copy as they were typed. Of a single image the referrers are always compared. */
export function copyOptions(flags: ImageFlags, mayOverwrite: boolean): CopyOptions {
  const isDeep = flags.deep === true;
  const compared = isDeep || flags.allTags !== true ? "all" : "copied";
  return {
    platforms: flags.platform ?? [],
    mayMakeIndex: flags.newIndex === true,
    mayOverwrite,
    referrers: flags.referrers ? compared : "none",
    trust: isDeep ? "nothing" : "parts",
  };
}

/** Collects platforms. */
function gatherPlatform(value: string, before: readonly Platform[] = []): readonly Platform[] {
  return [...before, parsePlatformOption(value)];
}

/** Reads one platform. */
export function parsePlatformOption(value: string): Platform {
  const platform = parsePlatform(value);
  if (platform === undefined) throw new InvalidArgumentError("It is not os/architecture[/variant].");
  return platform;
}
