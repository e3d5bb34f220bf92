import { treeMemoryBytes } from "./proc.ts";

/** A program that runs once and ends. */
export interface ProgramRun {
  readonly name: string;
  readonly argv: readonly string[];
  /** What `taskset` may give it. */
  readonly cores: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** What one run of a program took: wall time, CPU of all its processes and threads, and the most memory it was seen with. */
export interface ProgramCost {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly peakMB: number;
}

/** The kernel keeps the peak, so what is missed is what grows in the last moment. */
const LOOK_MS = 10;

/** Runs a program to its end, on cores of its own choice among those it may have. Throws with the end of what it said if it fails. */
export async function runProgram({ name, argv, cores, env = {} }: ProgramRun): Promise<ProgramCost> {
  const startMs = performance.now();
  const run = Bun.spawn(["taskset", "-c", cores, ...argv], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
    env: { ...Bun.env, ...env },
  });
  let peakBytes = 0;
  const look = setInterval(() => {
    peakBytes = Math.max(peakBytes, treeMemoryBytes(run.pid, "VmHWM"));
  }, LOOK_MS);
  const [code, said] = await Promise.all([run.exited, new Response(run.stderr).text()]);
  const wallMs = performance.now() - startMs;
  clearInterval(look);
  if (code !== 0) throw new Error(`${name} ended with ${code}: ${said.slice(-300)}`);
  return { wallMs, cpuMs: Number(run.resourceUsage()?.cpuTime.total ?? 0) / 1000, peakMB: peakBytes / 1e6 };
}
