import { closeSync, openSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What a command left behind; a non-zero `code` is a value here, not an error. */
export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/** A process in the background, its output in `logFile`. Disposing kills it; `stop` asks it to end (SIGTERM). */
export interface Running extends AsyncDisposable {
  readonly pid: number;
  readonly logFile: string;
  readonly exited: Promise<number>;
  signal(name: NodeJS.Signals): void;
  /** Returns the exit status; a process that is still there after 40 s is killed. */
  stop(): Promise<number>;
}

export interface LaunchOptions {
  readonly command: readonly string[];
  readonly logFile: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Asked again and again until it answers true; may throw while the process is not up yet. */
  readonly ready: () => Promise<boolean>;
  readonly readyMs?: number;
}

export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string;
}

const POLL_MS = 25;
const STOP_MS = 40_000;

/** Runs a command to its end, bounded by `timeoutMs` (60 s), and returns exit code and output. */
export async function run(command: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const child = Bun.spawn([...command], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    env: { ...process.env, ...options.env },
    timeout: options.timeoutMs ?? 60_000,
    killSignal: "SIGKILL",
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, stdout, stderr };
}

/** As `run`, but a non-zero exit is an error, as for `outputOf`. */
export async function mustRun(command: readonly string[], options: RunOptions = {}): Promise<string> {
  return outputOf(command, await run(command, options));
}

/** What a command printed on stdout; a non-zero exit is an error that shows the command and all that it printed. */
export function outputOf(command: readonly string[], { code, stdout, stderr }: Finished): string {
  if (code !== 0) throw new Error(`exit ${code} from: ${command.join(" ")}\n${stdout}${stderr}`);
  return stdout;
}

/** Starts a process and waits until it is ready; when it ends or stays silent instead, the error shows its log. */
export async function launch(options: LaunchOptions): Promise<Running> {
  const log = openSync(options.logFile, "a");
  const child = Bun.spawn(diesWithParent(options.command), {
    stdin: "ignore",
    stdout: log,
    stderr: log,
    env: { ...process.env, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  closeSync(log);
  const stop = async (): Promise<number> => {
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
    const code = await child.exited;
    clearTimeout(timer);
    return code;
  };
  const running: Running = {
    pid: child.pid,
    logFile: options.logFile,
    exited: child.exited,
    signal: (name) => child.kill(name),
    stop,
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
  const deadline = Date.now() + (options.readyMs ?? 20_000);
  while (!(await answers(options.ready))) {
    if (child.exitCode === null && child.signalCode === null && Date.now() < deadline) {
      await Bun.sleep(POLL_MS);
      continue;
    }
    await running[Symbol.asyncDispose]();
    throw new Error(`not ready: ${options.command.join(" ")}\n${await tail(options.logFile)}`);
  }
  return running;
}

/** Makes an empty folder that disposal removes; PERIPLUS_KEEP=1 keeps it for a look at logs and data. */
export async function temporaryFolder(name: string): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), `periplus-${name}-`));
  const remove = process.env["PERIPLUS_KEEP"] !== "1";
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      if (remove) await rm(path, { recursive: true, force: true });
    },
  };
}

const givenPorts = new Set<number>();

/** A TCP port of 127.0.0.1 that was free a moment ago; never one that was given before, whose server may not have it yet. */
export function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => {} } });
  const { port } = listener;
  listener.stop(true);
  if (givenPorts.has(port)) return freePort();
  givenPorts.add(port);
  return port;
}

async function answers(ready: () => Promise<boolean>): Promise<boolean> {
  try {
    return await ready();
  } catch {
    return false;
  }
}

async function tail(logFile: string): Promise<string> {
  const lines = (await Bun.file(logFile).text()).split("\n");
  return lines.slice(-30).join("\n");
}

/** The kernel ends the child when the test process is killed, so that no server outlives a broken run. */
function diesWithParent(command: readonly string[]): string[] {
  return Bun.which("setpriv") === null ? [...command] : ["setpriv", "--pdeathsig", "KILL", "--", ...command];
}
