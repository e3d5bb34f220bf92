import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../measure/port.ts";
import { startServer } from "../measure/server.ts";
import { type Bench, emptyDir } from "../measure/stage.ts";
import type { Contender, Missing, Role, Running } from "../row.ts";
import type { Tool } from "./tools.ts";

const READY_TIMEOUT_MS = 20_000;

/** Where a contender listens and keeps its files. */
export interface Place {
  readonly port: number;
  readonly dir: string;
  /** Writes a file into `dir`; its path. */
  readonly write: (name: string, text: string) => string;
}

/** How a contender is started, once its program is found and its place is known. */
export interface LaunchPlan {
  readonly name: string;
  readonly role: Role;
  readonly find: () => Tool;
  readonly argv: (program: string, place: Place) => readonly string[];
  readonly env?: (place: Place) => Readonly<Record<string, string>>;
  /** Asked until it answers; `/` where it is not given. */
  readonly readyPath?: string;
  /** The server's core where it is not given. */
  readonly cores?: string;
  /** Of the origin; `http` where it is not given. */
  readonly scheme?: "http" | "https";
  /** A folder that outlives the start, instead of an empty one. */
  readonly keptDir?: string;
}

/** A contender that is a process of its own, on the server's core unless it says otherwise. */
export function contender(bench: Bench, plan: LaunchPlan): Contender {
  return { name: plan.name, role: plan.role, start: () => launch(bench, plan) };
}

/** A contender that is a program which runs once a measurement: there is nothing to start. */
export function programContender({ name, role, find }: Pick<LaunchPlan, "find" | "name" | "role">): Contender {
  const start = async (): Promise<Running | Missing> => {
    const tool = find();
    return tool.kind === "missing" ? tool : { kind: "running", origin: "" };
  };
  return { name, role, start };
}

async function launch(bench: Bench, plan: LaunchPlan): Promise<Running | Missing> {
  const tool = plan.find();
  if (tool.kind === "missing") return tool;
  const slug = plan.name.replaceAll(/[^a-z0-9]+/gi, "-");
  const place = placeAt(plan.keptDir ?? emptyDir(bench, slug));
  const origin = `${plan.scheme ?? "http"}://127.0.0.1:${place.port}`;
  const server = await startServer({
    name: plan.name,
    argv: plan.argv(tool.path, place),
    env: plan.env?.(place) ?? {},
    cores: plan.cores ?? String(bench.serverCore),
    logPath: join(bench.workDir, `${slug}.log`),
    readyUrl: `${origin}${plan.readyPath ?? "/"}`,
    readyTimeoutMs: READY_TIMEOUT_MS,
  });
  return { kind: "running", origin, server };
}

function placeAt(dir: string): Place {
  return {
    port: freePort(),
    dir,
    write: (name, text) => {
      const path = join(dir, name);
      writeFileSync(path, text);
      return path;
    },
  };
}
