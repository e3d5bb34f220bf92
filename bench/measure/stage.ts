import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";

/** What every row is given: the cores, the folder it may write in, how long a load lasts. */
export interface Bench {
  readonly serverCore: number;
  readonly loadCore: number;
  readonly workDir: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly say: (line: string) => void;
}

/** Both cores, as `taskset` names them: for rows in which programs run as people run them, the registries beside them. */
export function bothCores({ serverCore, loadCore }: Bench): string {
  return `${serverCore},${loadCore}`;
}

/** An empty folder of that name under the bench's work folder. */
export function emptyDir(bench: Bench, name: string): string {
  const dir = join(bench.workDir, name);
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  return dir;
}
