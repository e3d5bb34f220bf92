import { readFile } from "node:fs/promises";
import { Command } from "commander";
import packageJson from "../../../package.json" with { type: "json" };
import { loadSettings, type LoadOptions } from "../../config/load.ts";
import { formatProblem } from "../../config/problem.ts";
import type { Settings } from "../../config/settings.ts";
import { asFailure } from "../../errors/failure.ts";
import { refuseTakenPort } from "../../server/listener.ts";
import { Metrics } from "../../server/metrics.ts";
import { createRemoteRegistry } from "../../registry/client.ts";
import { exitStatus } from "../exit.ts";
import { ownCommand } from "../runtime-variables.ts";
import { createHosted } from "./hosting.ts";
import { LineSink } from "./lines.ts";
import { drainTimes, ServerProcess } from "./process.ts";
import { RegistryPool } from "./registries.ts";
import { type Cache, createCache, exposeCache, exposeProcess } from "./runtime.ts";
import { Steering } from "./steering.ts";
import { openStorage } from "./storage.ts";
import { sharedMetrics, supervise, tellReady, workerSlot } from "./workers.ts";

/** The options of `periplus serve` as they were typed. */
interface ServeOptions {
  readonly config?: string;
  readonly listen?: string;
  readonly storage?: string;
  readonly upstream?: readonly string[];
  readonly log?: string;
  readonly workers?: string;
}

const examples = `
Examples:
  periplus serve                                   a cache for the well-known registries, on 127.0.0.1:5000
  periplus serve --config periplus.yaml            what the file says
  periplus serve --listen 0.0.0.0:5000 --storage /var/lib/periplus
  periplus serve --upstream registry.k8s.io=http://127.0.0.1:5001
                                                   registry.k8s.io is reached there
  kill -HUP PID                                    reads the file again; a bad one changes nothing
`;

/** `periplus serve`. */
export function serveCommand(): Command {
  return new Command("serve")
    .description("Serve images: redirect pulls, answer them from the cache, or store what is pushed, as the rules say.")
    .option("--config <file>", "configuration file (YAML); without one, a cache for the well-known registries")
    .option("--listen <host:port>", "where to listen")
    .option("--storage <dir>", "folder of what is cached and stored")
    .option("--upstream <host=url>", "where a registry is reached; may be given again", collect)
    .option("--log <format>", "access records: json, text or off")
    .option("--workers <n>", "processes that share the port; only where nothing is cached or stored")
    .addHelpText("after", examples)
    .action(async (options: ServeOptions) => {
      // What still waits in the background (timers, kept-alive upstream connections) is over when serving is.
      process.exit(await serve(options));
    });
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** Serves until it is told to stop; the exit status. */
async function serve(options: ServeOptions): Promise<number> {
  const load = (): Promise<Settings | undefined> => loadOrExplain(loadOptions(options));
  const settings = await load();
  if (settings === undefined) return exitStatus.failed;
  try {
    if (settings.workers > 1 && workerSlot() === undefined) {
      refuseTakenPort(settings.listen);
      return await supervise(settings.workers, ownCommand(), say);
    }
    const server = await start(settings, load);
    await untilStopped(server);
    return exitStatus.clean;
  } catch (error) {
    say(asFailure(error, "CONFIG_INVALID", "cannot start").message);
    return exitStatus.failed;
  }
}

async function start(settings: Settings, reread: () => Promise<Settings | undefined>): Promise<ServerProcess> {
  const metrics = new Metrics();
  const pool = new RegistryPool({ ...world, helperTimeoutMs: 10_000 }, createRemoteRegistry);
  pool.update(settings.upstreams);
  const cache = await openCache(settings, pool, metrics);
  let current = settings;
  exposeProcess(metrics, () => current, packageJson.version);
  const lasting = {
    mirrors: cache,
    hosted: cache && createHosted(cache, Date.now),
    key: crypto.getRandomValues(new Uint8Array(32)),
    steering: new Steering(metrics, say),
  };
  const onSwap = (next: Settings): void => {
    current = next;
    pool.update(next.upstreams);
  };
  return ServerProcess.start({
    version: packageJson.version,
    settings,
    greets: workerSlot() === undefined || workerSlot() === 0,
    lasting,
    cache,
    metrics,
    metricsText: workerSlot() !== undefined ? sharedMetrics(() => metrics.text()) : () => metrics.text(),
    records: new LineSink(1),
    say,
    reread,
    onSwap,
    drainTimes,
  });
}

async function openCache(settings: Settings, pool: RegistryPool, metrics: Metrics): Promise<Cache | undefined> {
  const isKeeping = settings.table.rules.some((rule) => rule.serve !== "redirect");
  if (settings.storage === undefined || !isKeeping) return undefined;
  const storage = await openStorage(settings.storage, world);
  const cache = createCache({ storage, pool, metrics, warn: say });
  exposeCache(metrics, cache);
  return cache;
}

/**
 * Waits for SIGTERM or SIGINT and drains; a second one ends at once. A worker is told by its supervisor and by whoever
 * signals the whole group: it takes both for one. SIGHUP reloads.
 */
async function untilStopped(server: ServerProcess): Promise<void> {
  process.on("SIGHUP", () => void server.reload());
  await new Promise<void>((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      process.on(signal, () => {
        if (workerSlot() === undefined) process.on(signal, () => process.exit(exitStatus.failed));
        resolve();
      });
    }
    if (workerSlot() !== undefined) tellReady();
  });
  await server.drain();
}

async function loadOrExplain(options: LoadOptions): Promise<Settings | undefined> {
  const loaded = await loadSettings(options);
  if (loaded.kind === "invalid") {
    for (const problem of loaded.problems) say(formatProblem(problem));
    return undefined;
  }
  for (const warning of loaded.warnings) say(`warning: ${formatProblem(warning)}`);
  return loaded.settings;
}

/** What credentials are read from. */
const world = { env: process.env, readFile: readText, nowMs: () => performance.now() };

function loadOptions({ config, listen, storage, upstream, log, workers }: ServeOptions): LoadOptions {
  const overrides = { listen, storage, upstreams: upstream, log, workers };
  return { file: config, overrides, env: process.env, cwd: process.cwd(), readFile: readText };
}

function readText(path: string): Promise<string> {
  return readFile(path, "utf8");
}

function say(message: string): void {
  process.stderr.write(`${message}\n`);
}
