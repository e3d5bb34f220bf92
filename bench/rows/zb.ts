import { join } from "node:path";
import { type Bench, emptyDir } from "../measure/stage.ts";
import { periplusStore } from "../peers/periplus.ts";
import { findTool } from "../peers/tools.ts";
import { zotStore } from "../peers/zot.ts";
import type { Contender, Metric, Missing, Row, Running, Sample, Stage, Target } from "../row.ts";

const CONCURRENCY = 10;
const REQUESTS = 20;

/** The tests of zot's own benchmark that push, pull and list, by the key of their metric. */
const TESTS: Readonly<Record<string, string>> = {
  catalog: "Get Catalog",
  push1: "Push Monolith 1MB",
  push10: "Push Monolith 10MB",
  push100: "Push Monolith 100MB",
  chunk1: "Push Chunk Streamed 1MB",
  chunk10: "Push Chunk Streamed 10MB",
  chunk100: "Push Chunk Streamed 100MB",
  pull1: "Pull 1MB",
  pull10: "Pull 10MB",
  pull100: "Pull 100MB",
  pullMixed: "Pull Mixed 20% 1MB, 70% 10MB, 10% 100MB",
  pushMixed: "Push Monolith Mixed 20% 1MB, 70% 10MB, 10% 100MB",
  chunkMixed: "Push Chunk Mixed 33% 1MB, 33% 10MB, 33% 100MB",
  both1: "Pull 75% and Push 25% Mixed 1MB",
  both10: "Pull 75% and Push 25% Mixed 10MB",
  both100: "Pull 75% and Push 25% Mixed 100MB",
};
const METRICS: readonly Metric[] = Object.entries(TESTS).map(([key, label]) => ({
  key,
  label: `${label}, req/s`,
  digits: 1,
}));
const TARGETS: readonly Target[] = Object.keys(TESTS).map((metric) => ({
  kind: "ratio",
  metric,
  of: "periplus",
  over: "zot",
  bound: { kind: "atLeast", value: 1 },
}));

/** zot's own benchmark, whole, against both; without its tests of a mirror. */
export const zb: Row = {
  id: "zb",
  title: `zot's benchmark zb, ${CONCURRENCY} at once, ${REQUESTS} of each`,
  lifetime: "round",
  maxRounds: 2,
  metrics: METRICS,
  targets: TARGETS,
  open,
};

async function open(bench: Bench): Promise<Stage> {
  const tool = findTool("zb", "PERIPLUS_BENCH_ZB", "set PERIPLUS_BENCH_ZB to one built from zot's cmd/zb");
  const contenders = [periplusStore(bench), zotStore(bench)];
  return {
    contenders: tool.kind === "found" ? contenders : contenders.map((contender) => absent(contender, tool)),
    measure: (running) => measured(bench, running, tool.kind === "found" ? tool.path : ""),
    close: async () => undefined,
  };
}

function absent(contender: Contender, missing: Missing): Contender {
  return { ...contender, start: async () => missing };
}

async function measured(bench: Bench, running: Running, program: string): Promise<Sample> {
  const sample: Record<string, number> = {};
  for (const [key, name] of Object.entries(TESTS))
    sample[key] = await requestsPerSecond(bench, running, { program, name });
  return sample;
}

/** One test at a time, so that one that fails is seen. */
async function requestsPerSecond(
  bench: Bench,
  running: Running,
  { program, name }: { readonly program: string; readonly name: string },
): Promise<number> {
  const workDir = emptyDir(bench, join("zb", "work"));
  const only = `^${RegExp.escape(name)}$`;
  const options = ["-c", String(CONCURRENCY), "-n", String(REQUESTS), "-d", workDir, "-t", only];
  const argv = ["taskset", "-c", String(bench.loadCore), program, ...options, running.origin];
  const run = Bun.spawn(argv, { stdout: "pipe", stderr: "pipe" });
  const [output, complaint] = await Promise.all([
    new Response(run.stdout).text(),
    new Response(run.stderr).text(),
    run.exited,
  ]);
  const perSecond = Number(/Requests per second:\s*([\d.e+]+)/.exec(output)?.[1]);
  const failed = Number(/Failed requests:\s*(\d+)/.exec(output)?.[1]);
  if (!(perSecond > 0) || failed !== 0) {
    throw new Error(`${name}: ${failed} failed; ${(complaint || output).slice(-400)}`);
  }
  return perSecond;
}
