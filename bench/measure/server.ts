import { readFileSync, writeFileSync } from "node:fs";
import { processTree, treeCpuS, treeMemoryBytes } from "./proc.ts";

const READY_POLL_MS = 5;
const STOP_GRACE_MS = 2000;
/** The kernel ends a server whose harness died: none is left behind on the port and the core. */
const ENDS_WITH_US = ["setpriv", "--pdeathsig", "TERM"];
const LOG_TAIL_CHARS = 2000;

/** How a server is started: pinned to `cores`, as `taskset` names them, its output in `logPath`, awaited at `readyUrl` (any answer below 500 will do). */
export interface ServerSpec {
  readonly name: string;
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cores: string;
  readonly logPath: string;
  readonly readyUrl: string;
  readonly readyTimeoutMs: number;
}

/** A server process of ours to measure and to stop. `startMs` runs from spawn to the first answer. */
export class Server {
  readonly #process: Bun.Subprocess;
  readonly name: string;
  readonly startMs: number;

  constructor(process: Bun.Subprocess, name: string, startMs: number) {
    this.#process = process;
    this.name = name;
    this.startMs = startMs;
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** CPU seconds so far, of all threads and children. */
  cpuS(): number {
    return treeCpuS(this.pid);
  }

  /** Resident bytes now. */
  residentBytes(): number {
    return treeMemoryBytes(this.pid, "VmRSS");
  }

  /** The most resident bytes since `resetPeak`. */
  peakBytes(): number {
    return treeMemoryBytes(this.pid, "VmHWM");
  }

  /** Starts the peak anew at what is resident now. */
  resetPeak(): void {
    for (const member of processTree(this.pid)) writeFileSync(`/proc/${member}/clear_refs`, "5");
  }

  /** Asks to end, then makes it end. Only the processes that this server is made of are touched. */
  async stop(): Promise<void> {
    const members = processTree(this.pid);
    this.#process.kill("SIGTERM");
    const ended = await Promise.race([
      this.#process.exited.then(() => true),
      Bun.sleep(STOP_GRACE_MS).then(() => false),
    ]);
    if (ended) return;
    for (const member of members) killQuietly(member);
    await this.#process.exited;
  }
}

/** Starts a server and waits until it answers. Throws with the end of its log if it ends first or never does. */
export async function startServer(spec: ServerSpec): Promise<Server> {
  const log = Bun.file(spec.logPath);
  const startedAt = performance.now();
  const process = Bun.spawn([...ENDS_WITH_US, "taskset", "-c", spec.cores, ...spec.argv], {
    env: { ...Bun.env, ...spec.env },
    stdin: "ignore",
    stdout: log,
    stderr: log,
  });
  const server = (): Server => new Server(process, spec.name, performance.now() - startedAt);
  while (performance.now() - startedAt < spec.readyTimeoutMs && process.exitCode === null) {
    if (await answers(spec.readyUrl)) return server();
    await Bun.sleep(READY_POLL_MS);
  }
  await server().stop();
  throw new Error(`${spec.name} did not answer at ${spec.readyUrl}; its log ends:\n${tail(spec.logPath)}`);
}

async function answers(url: string): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(1000);
    const response = await fetch(url, { redirect: "manual", signal, tls: { rejectUnauthorized: false } });
    await response.arrayBuffer();
    return response.status < 500;
  } catch {
    return false;
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself in the meantime.
  }
}

function tail(path: string): string {
  try {
    return readFileSync(path, "utf8").slice(-LOG_TAIL_CHARS);
  } catch {
    return "(no log)";
  }
}
