import { resolve } from "node:path";
import type { Environment } from "../config/environment.ts";
import { type FileContent, readContent } from "../config/files.ts";
import { createFindings, type Findings, formatPath, formatProblem, type Problem } from "../config/problem.ts";
import { readSource, type Source } from "../config/source.ts";
import { checkTogether, hostsOf } from "./checks.ts";
import { detectFormat, type SyncFormat } from "./format.ts";
import { type Disk, readNamedFiles } from "./named-files.ts";
import type { Place, SyncPlanInput } from "./plan-input.ts";
import type { Destination, Read, Reading } from "./reading.ts";
import { accessOf } from "./registries.ts";

/** A sync file, and the world to read it in. */
export interface LoadSyncOptions extends Disk {
  readonly file: string;
  /** Its text, where it was read already. */
  readonly text?: string | undefined;
  /** Forces the form; it is told from the keys without it. */
  readonly format?: SyncFormat | undefined;
  /** What the command line says of the target, for forms that have none. */
  readonly destination?: Destination | undefined;
  readonly env: Environment;
  /** The working directory, absolute. */
  readonly cwd: string;
}

/** What may be planned from. Warnings are for people; they stop nothing. */
export interface LoadedSync {
  readonly kind: "loaded";
  readonly input: SyncPlanInput;
  readonly warnings: readonly Problem[];
}

/** Everything that is wrong, at once, in the order of the file. */
export interface InvalidSync {
  readonly kind: "invalid";
  readonly problems: readonly Problem[];
}

/** Reads a sync file of any form and what it names. Asks no registry, and never throws for what a file holds. */
export async function loadSync(options: LoadSyncOptions): Promise<InvalidSync | LoadedSync> {
  const path = resolve(options.cwd, options.file);
  const content: FileContent =
    options.text === undefined ? await readContent(options.readFile, path) : { kind: "text", text: options.text };
  if (content.kind === "unreadable") return invalid(options.file, content.reason);
  const opened = open(options, content.text);
  if ("kind" in opened) return opened;
  const { source, format } = opened;
  const findings = createFindings(options.file, (at, part) => source.locate(at, part));
  const contents = await readNamedFiles(format, source.value, path, options);
  const reading = readingOf(options, { path, source, findings, contents });
  const input = inputOf(reading, format, (await readers[format]())(reading, source.value));
  const problems = distinct(findings.problems);
  if (input === undefined || problems.length > 0) return { kind: "invalid", problems };
  return { kind: "loaded", input, warnings: distinct(findings.warnings) };
}

/** What is wrong with a default is found with every entry that takes it. */
function distinct(problems: readonly Problem[]): readonly Problem[] {
  return [...new Map(problems.map((problem) => [formatProblem(problem), problem])).values()];
}

interface Opened {
  readonly source: Source;
  readonly format: SyncFormat;
}

/**
 * The form decides how numbers and merges are read, and is told from what was read: it is read a second time where it is none of ours, or
 * where a merge may say otherwise.
 */
function open(options: LoadSyncOptions, text: string): InvalidSync | Opened {
  const { file, format } = options;
  if (!text.includes("<<") && (format === undefined || format === "periplus")) {
    const own = openOwn(options, text);
    if ("kind" in own || format === own.format || detectFormat(own.source.value) === own.format) return own;
  }
  const foreign = readSource(file, text, { merge: true, isText: () => true });
  if ("problems" in foreign) return { kind: "invalid", problems: foreign.problems };
  const found = format ?? detectFormat(foreign.value);
  if (found === undefined)
    return invalid(file, "is no sync file: it has no sync, and nothing that regsync, skopeo or image-syncer have");
  if (found !== "periplus") return { source: foreign, format: found };
  return openOwn(options, text);
}

function openOwn({ file }: LoadSyncOptions, text: string): InvalidSync | Opened {
  const own = readSource(file, text, { isText: (key) => textKeys.has(key) });
  return "problems" in own ? { kind: "invalid", problems: own.problems } : { source: own, format: "periplus" };
}

/** Keys of ours whose numbers are texts. */
const textKeys: ReadonlySet<string> = new Set(["list", "skip", "match", "semver", "from", "to", "backup"]);

function invalid(file: string, message: string): InvalidSync {
  return { kind: "invalid", problems: [{ file, line: 0, column: 0, path: "", message }] };
}

interface Found {
  readonly path: string;
  readonly source: Source;
  readonly findings: Findings;
  readonly contents: ReadonlyMap<string, FileContent>;
}

function readingOf(options: LoadSyncOptions, { path, source, findings, contents }: Found): Reading {
  const placeOf: Reading["placeOf"] = (at): Place => ({
    file: options.file,
    ...source.locate(at, "value"),
    path: formatPath(at),
  });
  return {
    file: options.file,
    path,
    env: options.env,
    findings,
    contents,
    placeOf,
    destination: options.destination ?? {},
  };
}

function inputOf(reading: Reading, format: SyncFormat, read: Read | undefined): SyncPlanInput | undefined {
  if (read === undefined) return undefined;
  checkTogether(reading, read);
  return {
    format,
    entries: read.entries.map(({ entry }) => entry),
    registries: accessOf(reading, read, hostsOf(read.entries)),
    parallel: read.parallel,
    createRepositories: read.createRepositories ?? false,
    files: [reading.path, ...reading.contents.keys()],
  };
}

/** The readers of the forms, each loaded for files of its form. */
const readers: Readonly<Record<SyncFormat, () => Promise<(reading: Reading, value: unknown) => Read | undefined>>> = {
  periplus: async () => (await import("./own.ts")).readOwn,
  regsync: async () => (await import("./regsync/read.ts")).readRegsync,
  skopeo: async () => (await import("./skopeo/read.ts")).readSkopeo,
  "image-syncer": async () => (await import("./image-syncer/read.ts")).readImageSyncer,
};
