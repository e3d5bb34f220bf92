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
/** Tests that push blobs of sizes drawn at random: what they take is told by bytes, not by requests. */
const SIZED_BY_CHANCE: ReadonlySet<string> = new Set(["catalog", "pushMixed", "chunkMixed"]);
const MIB = 2 ** 20;
const METRICS: readonly Metric[] = Object.entries(TESTS).map(([key, label]) => ({
  key,
  label: `${label}, ${SIZED_BY_CHANCE.has(key) ? "MB/s" : "req/s"}`,
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
  maxRounds: 5,
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
  for (const [key, name] of Object.entries(TESTS)) {
    const { requestsPerS, output } = await tested(bench, running, { program, name });
    sample[key] = SIZED_BY_CHANCE.has(key) ? (requestsPerS * meanBytes(output)) / 1e6 : requestsPerS;
  }
  return sample;
}

/**
 * One test at a time, so that one that fails is seen. What an earlier one left to be written is on the disk before it begins: it
 * would be charged to whoever syncs.
 */
async function tested(
  bench: Bench,
  running: Running,
  { program, name }: { readonly program: string; readonly name: string },
): Promise<{ readonly requestsPerS: number; readonly output: string }> {
  const workDir = emptyDir(bench, join("zb", "work"));
  const only = `^${RegExp.escape(name)}$`;
  const options = ["-c", String(CONCURRENCY), "-n", String(REQUESTS), "-d", workDir, "-t", only];
  const argv = ["taskset", "-c", String(bench.loadCore), program, ...options, running.origin];
  Bun.spawnSync(["sync"]);
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
  return { requestsPerS: perSecond, output };
}

/** The mean size of the blobs that a test drew, by its own count of each size. */
function meanBytes(output: string): number {
  const counts = [1, 10, 100].map((size) => ({
    size,
    count: Number(new RegExp(`^${size}MB:\\s*(\\d+)`, "m").exec(output)?.[1] ?? 0),
  }));
  const drawn = counts.reduce((sum, { count }) => sum + count, 0);
  const bytes = counts.reduce((sum, { size, count }) => sum + size * MIB * count, 0);
  if (drawn === 0) throw new Error(`zb counted no sizes: ${output.slice(-400)}`);
  return bytes / drawn;
}
