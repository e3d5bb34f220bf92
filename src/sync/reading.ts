import { resolve } from "node:path";
import type { Environment } from "../config/environment.ts";
import type { UpstreamEntry } from "../config/file.ts";
import { checkSchema } from "../config/issues.ts";
import type { Findings, Path } from "../config/problem.ts";
import type { z } from "zod";
import type { FileContent } from "../config/files.ts";
import type { RegistryHost } from "../reference/host.ts";
import type { Place, SyncEntry } from "./plan-input.ts";
import type { Login } from "./registries.ts";

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
  readonly keys: Readonly<Record<"backup" | "delete" | "from" | "platforms" | "tags" | "to", string>>;
  readonly registries: readonly RegistryDraft[];
  /** Registries that name no login are logged in to as docker is. */
  readonly dockerConfig: boolean;
  readonly parallel: number | undefined;
}

/** An entry, and the path of its lines. */
export interface ReadEntry {
  readonly entry: SyncEntry;
  readonly path: Path;
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

/** The value of a file's schema with what it refuses taken out: an element of a list, a member of a mapping, else the whole key. */
export function readValid<T>(
  reading: Reading,
  schema: z.ZodType<T>,
  value: unknown,
  jsonSchemaOf: () => object,
): T | undefined {
  const checked = checkSchema(schema, jsonSchemaOf, value);
  if ("value" in checked) return checked.value;
  for (const { path, isKey, message } of checked.issues) {
    reading.findings.problem(path, message, isKey ? "key" : "value");
  }
  const left = checked.issues.reduce<unknown>((rest, { path }) => without(rest, path.slice(0, 2)), value);
  const again = schema.safeParse(left);
  return again.success ? again.data : undefined;
}

/** An element of a list becomes a hole, so that those behind it keep their index. */
function without(value: unknown, path: Path): unknown {
  const [key, ...inner] = path;
  if (key === undefined) return undefined;
  if (Array.isArray(value)) return value.map((item: unknown, index) => (index === key ? refused : item));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).flatMap(([name, member]): readonly (readonly [string, unknown])[] => {
    if (name !== String(key)) return [[name, member]];
    return inner.length === 0 || typeof member !== "object" ? [] : [[name, without(member, inner)]];
  });
  return Object.fromEntries(entries);
}

/** Stands where an element of a list was refused; every schema of lists lets it through. */
export const refused = null;

/** A path that the file names, absolute. */
export function resolveFrom(reading: Pick<Reading, "path">, path: string): string {
  return resolve(reading.path, "..", path);
}
