import { formatProblem } from "../../config/problem.ts";
import { type InvalidSync, type LoadedSync, loadSync, type LoadSyncOptions } from "../load.ts";
import type { SyncPlanInput } from "../plan-input.ts";

/** Files by absolute path, as tests see the disk. */
type Files = Readonly<Record<string, string>>;

/** What a test loads: the text of /etc/sync/sync.yaml and what is around it. */
export type World = Partial<Pick<LoadSyncOptions, "destination" | "env" | "format">> & {
  readonly text: string;
  readonly files?: Files;
};

/** Loads with the working directory /etc/sync and only the given files on disk. */
export function load({ text, files = {}, env = {}, ...options }: World): Promise<InvalidSync | LoadedSync> {
  const absent = (path: string): Error => Object.assign(new Error(`ENOENT ${path}`), { code: "ENOENT" });
  return loadSync({
    ...options,
    file: "sync.yaml",
    text,
    env,
    cwd: "/etc/sync",
    readFile: (path) => {
      const found = files[path];
      return found === undefined ? Promise.reject(absent(path)) : Promise.resolve(found);
    },
    readFolder: (path) => {
      const names = Object.keys(files).filter((file) => file.startsWith(`${path}/`));
      return names.length === 0
        ? Promise.reject(absent(path))
        : Promise.resolve(names.map((name) => name.slice(path.length + 1)));
    },
  });
}

/** What is loaded from a world that must load. */
export async function inputOf(world: World): Promise<SyncPlanInput> {
  const loaded = await load(world);
  if (loaded.kind === "loaded") return loaded.input;
  throw new Error(loaded.problems.map(formatProblem).join("\n"));
}

/** All problems of a world, one a line; none when it loads. */
export async function problemsOf(world: World): Promise<readonly string[]> {
  const loaded = await load(world);
  return loaded.kind === "loaded" ? [] : loaded.problems.map(formatProblem);
}

/** All warnings of a world that must load, one a line. */
export async function warningsOf(world: World): Promise<readonly string[]> {
  const loaded = await load(world);
  if (loaded.kind === "loaded") return loaded.warnings.map(formatProblem);
  throw new Error(loaded.problems.map(formatProblem).join("\n"));
}
