import { readFile } from "node:fs/promises";
import { Command } from "commander";
import type { Environment } from "../config/environment.ts";
import type { ReadFile } from "../config/files.ts";
import { loadSettings } from "../config/load.ts";
import { printSettings } from "../config/print.ts";
import { formatProblem, type Problem } from "../config/problem.ts";
import { configJsonSchema } from "../config/schema.ts";
import type { Settings } from "../config/settings.ts";
import { exitStatus } from "./exit.ts";

/** Where a command writes, what it reads, and how it says its status. */
export interface ConfigIo {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly setStatus: (status: number) => void;
  readonly env: Environment;
  readonly cwd: string;
  readonly readFile: ReadFile;
}

interface FileOption {
  readonly config?: string | undefined;
}

/** The file may be named as other commands want it, or alone. */
function fileOf(file: string | undefined, { config }: FileOption, command: Command): FileOption {
  if (file !== undefined && config !== undefined) command.error("error: the file is named twice");
  return { config: file ?? config };
}

const configOption = ["--config <file>", "the same"] as const;

const examples = `
Examples:
  periplus config check periplus.yaml              every problem as file:line:column: path: message
  periplus config print                            what is in force without a file
  periplus config print periplus.yaml              every default written out, secrets masked
  periplus config schema > periplus.schema.json    for editors; name it in the file's first line:
                                                   # yaml-language-server: $schema=periplus.schema.json
Exit status: 0 it is valid, 1 it is not, 2 the command was typed wrongly.
`;

/** `periplus config check|print|schema`. */
export function configCommand(io: ConfigIo = processIo()): Command {
  const output = { writeOut: io.stdout, writeErr: io.stderr };
  const command = new Command("config").configureOutput(output);
  command.description("Check and show the configuration.").addHelpText("after", examples);
  command
    .command("check")
    .description("Say everything that is wrong with the configuration, or that it is valid.")
    .argument("[file]", "configuration file (YAML)")
    .option(...configOption)
    .action((file: string | undefined, options: FileOption, self: Command) => check(io, fileOf(file, options, self)));
  command
    .command("print")
    .description("Print what is in force as YAML, with every default written out and secrets masked.")
    .argument("[file]", "configuration file (YAML); without one, what is in force without one")
    .option(...configOption)
    .action((file: string | undefined, options: FileOption, self: Command) => print(io, fileOf(file, options, self)));
  command
    .command("schema")
    .description("Print the JSON Schema (draft 2020-12) of the configuration file.")
    .action(() => io.stdout(`${JSON.stringify(configJsonSchema(), undefined, 2)}\n`));
  return command;
}

async function check(io: ConfigIo, { config }: FileOption): Promise<void> {
  const settings = await load(io, { config });
  if (settings === undefined) return;
  const name = config ?? "what is in force without a file";
  io.stdout(`${name} is valid; rules: ${settings.table.rules.length}, upstreams: ${settings.upstreams.size}\n`);
}

async function print(io: ConfigIo, options: FileOption): Promise<void> {
  const settings = await load(io, options);
  if (settings !== undefined) io.stdout(printSettings(settings));
}

async function load(io: ConfigIo, { config }: FileOption): Promise<Settings | undefined> {
  const loaded = await loadSettings({ file: config, env: io.env, cwd: io.cwd, readFile: io.readFile });
  if (loaded.kind === "loaded") {
    say(io, loaded.warnings, "warning: ");
    return loaded.settings;
  }
  say(io, loaded.problems, "");
  io.setStatus(exitStatus.failed);
  return undefined;
}

function say(io: ConfigIo, problems: readonly Problem[], before: string): void {
  for (const problem of problems) io.stderr(`${before}${formatProblem(problem)}\n`);
}

function processIo(): ConfigIo {
  return {
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    setStatus: (status) => {
      process.exitCode = status;
    },
    env: process.env,
    cwd: process.cwd(),
    readFile: (path) => readFile(path, "utf8"),
  };
}
