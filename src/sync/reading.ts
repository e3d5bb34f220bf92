import { resolve } from "node:path";
import type { Environment } from "../config/environment.ts";
import type { UpstreamEntry } from "../config/file.ts";
import { checkSchema } from "../config/issues.ts";
import type { Findings, Path } from "../config/problem.ts";
import type { z } from "zod";
import type { FileContent } from "../config/files.ts";
import type { RegistryHost } from "../reference/host.ts";
import { isMapping } from "./format.ts";
import type { Login, Place, SyncEntry } from "./plan-input.ts";

/** A file that is being read, in whatever form, and the world that its values are taken from. */
export interface Reading {
  /** As it was named, for messages. */
  readonly file: string;
  /** Where it is, absolute: what it names is relative to its folder. */
  readonly path: string;
  readonly env: Environment;
  readonly findings: Findings;
  /** Where a value of it stands. */
  placeOf(path: Path): Place;
  /** What is in the files that it names, by absolute path; of a folder of certificates, all of them. */
  readonly contents: ReadonlyMap<string, FileContent>;
  /** What the command line says beside the file. */
  readonly destination: Destination;
}

/** Where images go by the command line, for files that do not say. */
export interface Destination {
  /** `HOST` or `HOST/PATH`, as skopeo's `--dest docker` takes it. */
  readonly dest?: string | undefined;
  /** The source's host and repository are put behind it. */
  readonly scoped?: boolean | undefined;
  /** Only the last segment of the repository is. */
  readonly flatten?: boolean | undefined;
  /** Put behind every tag. */
  readonly appendSuffix?: string | undefined;
}

/** What a file says, before registries are made of what it says of them. */
export interface Read {
  readonly entries: readonly ReadEntry[];
  /** What its form calls what ours calls so. */
  readonly keys: Readonly<Record<"backup" | "delete" | "from" | "platforms" | "tags", string>>;
  readonly registries: readonly RegistryDraft[];
  /** Registries that name no login are logged in to as docker is. */
  readonly dockerConfig: boolean;
  readonly parallel: number | undefined;
  readonly createRepositories?: boolean;
}

/** An entry, the path of its lines, and that of where it says where images go. */
export interface ReadEntry {
  readonly entry: SyncEntry;
  readonly path: Path;
  readonly targetPath: Path;
}

/** A registry's own lines. */
export interface RegistryDraft {
  readonly host: RegistryHost;
  readonly entry: UpstreamEntry;
  /** Where they are. */
  readonly at: Path;
  /** What `credentials` of the entry cannot say. */
  readonly login?: Login | undefined;
  /** PEM text of the authority, where it stands in the file or was put together. */
  readonly ca?: string | undefined;
  readonly triesPlainHttp?: boolean | undefined;
}

/** What a file's schema lets through, and where the elements of its lists stand in the file. */
export interface Valid<T> {
  readonly value: T;
  /** The index in the file of an element of a list at the top: those that were refused are taken out. */
  readonly indexOf: (key: string, position: number) => number;
}

/** Says all that the schema refuses and takes it out: an element of a list, a member of a mapping, else the whole key. */
export function readValid<T>(
  reading: Pick<Reading, "findings">,
  schema: z.ZodType<T>,
  value: unknown,
  jsonSchemaOf: () => object,
): Valid<T> | undefined {
  const checked = checkSchema(schema, jsonSchemaOf, value);
  if ("value" in checked) return { value: checked.value, indexOf: (_, position) => position };
  for (const { path, isKey, message } of checked.issues) {
    reading.findings.problem(path, message, isKey ? "key" : "value");
  }
  const paths = checked.issues.map(({ path }) => path);
  const again = schema.safeParse(pruned(value, paths));
  if (!again.success) return undefined;
  return { value: again.data, indexOf: (key, position) => keptIndexes(value, key, paths)[position] ?? position };
}

function pruned(value: unknown, paths: readonly Path[]): unknown {
  if (!isMapping(value) || paths.some((path) => path.length === 0)) return undefined;
  const gone = new Set(paths.filter((path) => path.length === 1).map(([key]) => String(key)));
  const entries = Object.entries(value).filter(([key]) => !gone.has(key));
  return Object.fromEntries(entries.map(([key, member]) => [key, prunedMember(member, key, paths)]));
}

function prunedMember(member: unknown, key: string, paths: readonly Path[]): unknown {
  if (Array.isArray(member)) return keptIndexes({ [key]: member }, key, paths).map((index): unknown => member[index]);
  if (!isMapping(member)) return member;
  const gone = new Set(paths.filter(([first]) => String(first) === key).map(([, second]) => String(second)));
  return Object.fromEntries(Object.entries(member).filter(([name]) => !gone.has(name)));
}

function keptIndexes(value: unknown, key: string, paths: readonly Path[]): readonly number[] {
  const list = isMapping(value) ? value[key] : undefined;
  const gone = new Set(paths.filter(([first]) => first === key).map(([, second]) => second));
  return Array.isArray(list) ? [...list.keys()].filter((index) => !gone.has(index)) : [];
}

/** A path that the file names, absolute. */
export function resolveFrom(reading: Pick<Reading, "path">, path: string): string {
  return resolve(reading.path, "..", path);
}
