import { type Command, Option } from "commander";

/** What every command about the cache may be told. */
export interface CommonOptions {
  readonly config?: string;
  readonly storage?: string;
  readonly upstream?: readonly string[];
  readonly output: "json" | "text";
}

/** Adds them to a command. They are those of `periplus serve`, so that both mean the same storage folder. */
export function withCommonOptions(command: Command): Command {
  return command
    .option("--config <file>", "configuration file (YAML), the one of the server")
    .option("--storage <dir>", "storage folder of the cache")
    .option("--upstream <host=url>", "where a registry is reached when no server runs; may be given again", gather)
    .addOption(
      new Option("-o, --output <format>", "lines for people, or JSON a line").choices(["text", "json"]).default("text"),
    );
}

/** Collects an option that may be given again. */
export function gather(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
