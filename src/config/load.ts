import { resolve } from "node:path";
import { configWithoutFile } from "./defaults.ts";
import { type Draft, fromFile, type Overrides } from "./draft.ts";
import type { Environment } from "./environment.ts";
import { type FileContent, namedFiles, readContent, type ReadFile } from "./files.ts";
import { checkSchema } from "./issues.ts";
import { createFindings, type Findings, type Path, type Problem } from "./problem.ts";
import { allParts, type ValidParts, validParts } from "./prune.ts";
import type { Settings } from "./settings.ts";
import { configJsonSchema, configSchema } from "./schema.ts";
import { readSource, type Source } from "./source.ts";
import { toSettings } from "./to-settings.ts";

/** What to load, and the world to load it from. */
export interface LoadOptions {
  /** The configuration file; absent for what is in force without one. */
  readonly file?: string | undefined;
  /** Its text, where it was read already. */
  readonly text?: string | undefined;
  readonly overrides?: Overrides | undefined;
  readonly env: Environment;
  /** The working directory, absolute. */
  readonly cwd: string;
  readonly readFile: ReadFile;
}

/** Settings that may be used. Warnings are for people; they stop nothing. */
export interface Loaded {
  readonly kind: "loaded";
  readonly settings: Settings;
  readonly warnings: readonly Problem[];
}

/** Everything that is wrong, at once, in the order of the file. */
export interface Invalid {
  readonly kind: "invalid";
  readonly problems: readonly Problem[];
}

/** Loads the configuration file and what it names, under what the command line says. Never throws for what a file holds. */
export async function loadSettings(options: LoadOptions): Promise<Loaded | Invalid> {
  const opened = await open(options);
  if ("problems" in opened) return { kind: "invalid", problems: opened.problems };
  const draft: Draft = {
    ...opened,
    cwd: options.cwd,
    env: options.env,
    overrides: options.overrides ?? {},
    contents: await readNamed(options, opened),
  };
  const settings = toSettings(draft);
  const { problems, warnings } = draft.findings;
  return problems.length > 0 ? { kind: "invalid", problems } : { kind: "loaded", settings, warnings };
}

interface Opened extends ValidParts {
  readonly source: Draft["source"];
  readonly findings: Findings;
}

async function open(options: LoadOptions): Promise<Opened | { readonly problems: readonly Problem[] }> {
  const { file } = options;
  if (file === undefined) {
    const findings = createFindings("built in", () => ({ line: 0, column: 0 }));
    return { ...allParts(configWithoutFile), source: undefined, findings };
  }
  const path = resolve(options.cwd, file);
  const content: FileContent =
    options.text === undefined ? await readContent(options.readFile, path) : { kind: "text", text: options.text };
  if (content.kind === "unreadable") {
    return { problems: [{ file, line: 0, column: 0, path: "", message: content.reason }] };
  }
  const source = readSource(file, content.text);
  if ("problems" in source) return source;
  return parse(source, file, path);
}

/** What the schema refuses is reported and left out, so that the rest is checked too. */
function parse(source: Source, file: string, path: string): Opened | { readonly problems: readonly Problem[] } {
  const findings = createFindings(file, (at, part) => source.locate(at, part));
  const draftSource = { file, path, lineOf: (at: Path) => source.locate(at, "value").line };
  const parsed = checkSchema(configSchema, configJsonSchema, source.value ?? {});
  if ("value" in parsed) return { ...allParts(parsed.value), source: draftSource, findings };
  for (const { path: at, isKey, message } of parsed.issues) findings.problem(at, message, isKey ? "key" : "value");
  const parts = validParts(source.value ?? {}, parsed.issues);
  return parts === undefined ? { problems: findings.problems } : { ...parts, source: draftSource, findings };
}

async function readNamed(options: LoadOptions, opened: Opened): Promise<ReadonlyMap<string, FileContent>> {
  const named = namedFiles(opened.config).map(({ path }) => fromFile({ ...opened, cwd: options.cwd }, path));
  const paths = [...new Set(named)];
  return new Map(
    await Promise.all(paths.map(async (path) => [path, await readContent(options.readFile, path)] as const)),
  );
}
