import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Bench } from "./stage.ts";

/** One run of wrk: one thread, `connections` kept alive, over all of `paths` in turn. */
export interface WrkSpec {
  readonly origin: string;
  readonly paths: readonly string[];
  readonly connections: number;
  readonly seconds: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What wrk saw; `failed` counts broken connections, time-outs and statuses from 400 on. */
export interface WrkResult {
  readonly requests: number;
  readonly bytes: number;
  readonly durationUs: number;
  readonly failed: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

/** Runs wrk on the load's core. Throws if it does, or if more than one request in a thousand failed. */
export async function wrk(bench: Bench, spec: WrkSpec): Promise<WrkResult> {
  const pathsFile = join(bench.workDir, "wrk-paths");
  writeFileSync(pathsFile, `${spec.paths.join("\n")}\n`);
  const headers = Object.entries(spec.headers ?? {}).map(([name, value]) => `${name}=${value}`);
  const script = join(import.meta.dir, "wrk.lua");
  const options = ["-t1", `-c${spec.connections}`, `-d${spec.seconds}s`, "--timeout", "30s", "-s", script];
  const argv = ["taskset", "-c", String(bench.loadCore), "wrk", ...options, spec.origin, "--", pathsFile, ...headers];
  const run = Bun.spawn(argv, { stdout: "pipe", stderr: "pipe" });
  const [output, complaint] = await Promise.all([
    new Response(run.stdout).text(),
    new Response(run.stderr).text(),
    run.exited,
  ]);
  const line = output.split("\n").find((candidate) => candidate.startsWith("{"));
  if (line === undefined) throw new Error(`wrk at ${spec.origin} gave no result: ${complaint || output}`);
  const result = JSON.parse(line) as WrkResult; // the shape that wrk.lua prints
  if (result.failed > result.requests / 1000) {
    throw new Error(`wrk at ${spec.origin}: ${result.failed} of ${result.requests} requests failed`);
  }
  return result;
}
