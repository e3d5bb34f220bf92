import { isAbsolute, resolve } from "node:path";
import type { Environment } from "./environment.ts";
import type { FileContent } from "./files.ts";
import type { Findings, Path } from "./problem.ts";
import type { ValidParts } from "./prune.ts";

/** What the command line says over the file. Texts as they were typed; they are checked like the file's. */
export interface Overrides {
  readonly listen?: string | undefined;
  /** Relative to the working directory. */
  readonly storage?: string | undefined;
  /** `HOST=URL` each: the same as `upstreams.HOST.url`. */
  readonly upstreams?: readonly string[] | undefined;
  readonly log?: string | undefined;
  readonly workers?: string | number | undefined;
}

/** Everything that settings are made from, all of it read: from here on nothing is asked of disk or network. */
export interface Draft extends ValidParts {
  /** The configuration file, as it was named and where it is; absent without one. */
  readonly source: { readonly file: string; readonly path: string; lineOf(path: Path): number } | undefined;
  readonly cwd: string;
  readonly env: Environment;
  readonly overrides: Overrides;
  /** Contents by absolute path. */
  readonly contents: ReadonlyMap<string, FileContent>;
  readonly findings: Findings;
}

/** A path of the file, absolute: relative ones are relative to the file's folder. */
export function fromFile(draft: Pick<Draft, "source" | "cwd">, path: string): string {
  if (isAbsolute(path)) return path;
  return draft.source === undefined ? resolve(draft.cwd, path) : resolve(draft.source.path, "..", path);
}
