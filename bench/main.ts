/**
 * `bun bench/main.ts [ROW…] [--rounds N] [--seconds N] [-o markdown|json] [--list]`: measures Periplus beside its
 * peers. Results go to stdout, what is going on to stderr. Exit: 0 measured, 1 failed, 2 usage.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runRow } from "./measure/run.ts";
import type { Bench } from "./measure/stage.ts";
import { judge } from "./report/judge.ts";
import { describeMachine } from "./report/machine.ts";
import { renderMarkdown } from "./report/markdown.ts";
import type { Row, RowResult } from "./row.ts";
import { ROWS } from "./rows/all.ts";

const SERVER_CORE = 0;
const LOAD_CORE = 1;

interface Options {
  readonly rows: readonly Row[];
  readonly rounds: number;
  readonly seconds: number;
  readonly output: "markdown" | "json";
}

type Asked =
  | { readonly kind: "measure"; readonly options: Options }
  | { readonly kind: "list" }
  | { readonly kind: "usage"; readonly problem: string };

/** What the command line asks for, or what is wrong with it. */
function readArgs(argv: readonly string[]): Asked {
  try {
    return readOptions(argv);
  } catch (error) {
    return usage(error instanceof Error ? error.message : String(error)); // parseArgs throws what a user may read
  }
}

function readOptions(argv: readonly string[]): Asked {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      rounds: { type: "string", default: "3" },
      seconds: { type: "string", default: "5" },
      output: { type: "string", short: "o", default: "markdown" },
      list: { type: "boolean", default: false },
    },
  });
  if (values.list) return { kind: "list" };
  const unknown = positionals.find((id) => !ROWS.some((row) => row.id === id));
  if (unknown !== undefined) return usage(`no row ${unknown}; there are: ${ROWS.map((row) => row.id).join(", ")}`);
  const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];
  if (!(rounds >= 1 && seconds >= 1)) return usage("--rounds and --seconds take numbers from 1 on");
  if (values.output !== "markdown" && values.output !== "json") return usage("-o takes markdown or json");
  const rows = positionals.length === 0 ? ROWS : ROWS.filter((row) => positionals.includes(row.id));
  return { kind: "measure", options: { rows, rounds, seconds, output: values.output } };
}

function usage(problem: string): Asked {
  return { kind: "usage", problem };
}

/** What this machine lacks to measure at all. */
function obstacle(): string | undefined {
  if (process.platform !== "linux") return "the benchmark reads /proc and pins processes to cores: run it on Linux";
  if (cpus().length < 2) return "the benchmark needs two cores: one for the server, one for the load";
  const absent = ["taskset", "setpriv", "wrk"].find((name) => Bun.which(name) === null);
  return absent === undefined ? undefined : `no ${absent} on the path: install the packages util-linux and wrk`;
}

function pinSelf(core: number): void {
  Bun.spawnSync(["taskset", "-a", "-cp", String(core), String(process.pid)]);
}

function render(results: readonly RowResult[], output: Options["output"]): string {
  const machine = describeMachine(new Date().toISOString().slice(0, 10));
  if (output === "markdown") return renderMarkdown(machine, results);
  const rows = results.map((result) => ({ ...result, verdicts: judge(result) }));
  return JSON.stringify({ machine, rows }, undefined, 2);
}

/** One row that cannot be set up does not cost the others their figures. */
async function runRows(bench: Bench, rows: readonly Row[]): Promise<readonly RowResult[]> {
  const results: RowResult[] = [];
  for (const row of rows) {
    try {
      results.push(await runRow(bench, row));
    } catch (error) {
      bench.say(`${row.id} failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return results;
}

async function measure(options: Options): Promise<number> {
  const problem = obstacle();
  if (problem !== undefined) {
    console.error(problem);
    return 1;
  }
  pinSelf(LOAD_CORE);
  const workDir = mkdtempSync(join(Bun.env["PERIPLUS_BENCH_DIR"] ?? tmpdir(), "periplus-bench-"));
  const bench: Bench = {
    serverCore: SERVER_CORE,
    loadCore: LOAD_CORE,
    workDir,
    rounds: options.rounds,
    seconds: options.seconds,
    say: (line) => console.error(line),
  };
  try {
    const results = await runRows(bench, options.rows);
    console.log(render(results, options.output));
    return results.length === options.rows.length ? 0 : 1;
  } finally {
    rmSync(workDir, { recursive: true, force: true });
  }
}

async function main(argv: readonly string[]): Promise<number> {
  const asked = readArgs(argv);
  switch (asked.kind) {
    case "measure":
      return measure(asked.options);
    case "list":
      console.log(ROWS.map((row) => `${row.id}: ${row.title}`).join("\n"));
      return 0;
    case "usage":
      console.error(asked.problem);
      return 2;
  }
}

if (import.meta.main) process.exitCode = await main(Bun.argv.slice(2));
