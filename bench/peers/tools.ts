import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { cacheRoot, GO_PROGRAMS, programFolder } from "../../test/real/versions.ts";
import type { Missing } from "../row.ts";

/** A program on this machine, or what would bring it here. */
export type Tool = { readonly kind: "found"; readonly path: string } | Missing;

/** A program from the variable, else from the path. `advice` says what to do if it is in neither. */
export function findTool(name: string, variable: string, advice: string): Tool {
  const named = Bun.env[variable];
  if (named !== undefined && named !== "") {
    return existsSync(named) ? found(named) : missing(`${variable} names ${named}, which is not there`);
  }
  const path = Bun.which(name, { PATH: `${Bun.env["PATH"] ?? ""}:/usr/sbin` });
  return path === null ? missing(`no ${name} on the path: ${advice}`) : found(path);
}

/** Distribution's registry at the version that the tests against real components use, installed by Go if it is not there. */
export function findRegistry(): Tool {
  return findGoProgram("distribution", "registry");
}

/** regsync at the version that the tests against real components use, installed by Go if it is not there. */
export function findRegsync(): Tool {
  return findGoProgram("regctl", "regsync");
}

/** Our own program of this checkout, or built from it. */
export function findOwn(path: string): Tool {
  return existsSync(path) ? found(path) : missing(`${path} is not there: npm run build`);
}

/** A Go program at the version that the tests against real components use, installed by Go if it is not there. */
export function findGoProgram(name: string, binary: string): Tool {
  const program = GO_PROGRAMS.find((candidate) => candidate.name === name);
  if (program === undefined) return missing(`no version of ${name} is pinned in test/real/versions.ts`);
  const folder = programFolder(program);
  const path = join(folder, binary);
  if (existsSync(path)) return found(path);
  const targets = program.packages.map((path) => `${path}@${program.version}`);
  return runGo(["install", ...targets], { GOBIN: folder }) ?? found(path);
}

/** Our own Go program that copies to client, file and hash, built into the cache when `source` is newer. */
export function buildGoCopy(source: string): Tool {
  const path = join(cacheRoot(), "bench-gocopy", "gocopy");
  if (existsSync(path) && statSync(path).mtimeMs > statSync(source).mtimeMs) return found(path);
  return runGo(["build", "-trimpath", "-o", path, source], {}) ?? found(path);
}

function runGo(args: readonly string[], env: Readonly<Record<string, string>>): Missing | undefined {
  if (Bun.which("go") === null) return missing("no go on the path: install Go 1.25 or later");
  const run = Bun.spawnSync(["go", ...args], { env: { ...Bun.env, ...env }, stdout: "ignore", stderr: "pipe" });
  return run.success ? undefined : missing(`go ${args.join(" ")} failed: ${run.stderr.toString().slice(-500)}`);
}

function found(path: string): Tool {
  return { kind: "found", path };
}

function missing(reason: string): Missing {
  return { kind: "missing", reason };
}
