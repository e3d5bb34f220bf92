import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { until } from "../../src/server/testing/world.ts";
import { type Endpoint, get } from "./endpoint.ts";
import { freePort, launch, type Running, temporaryFolder } from "./process.ts";

/** The configuration as a value; `listen` and `storage` are filled in where the keys are missing. */
interface PeriplusConfig {
  readonly listen?: string;
  readonly storage?: unknown;
  readonly [key: string]: unknown;
}

export interface PeriplusOptions {
  readonly config: PeriplusConfig;
  /** Arguments after `serve --config FILE`. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The name clients have for it, with a port that is not 443; without it, what it listens on. */
  readonly host?: string;
  /** What clients of this one need to know: the authority of its certificate, and a user. */
  readonly caFile?: string;
  readonly credentials?: Endpoint["credentials"];
  readonly clientCertificate?: Endpoint["clientCertificate"];
}

export interface Periplus extends AsyncDisposable {
  readonly endpoint: Endpoint;
  readonly running: Running;
  readonly folder: string;
  readonly configFile: string;
  /** Writes another configuration over the file that the server watches; `listen` and `storage` stay. */
  configure(config: PeriplusConfig): Promise<void>;
  /** Everything printed so far: the access records, one a line, among it. */
  log(): Promise<string>;
  /** Resolves once no download runs: a client has its last byte before the blob is kept. */
  settled(): Promise<void>;
}

/** The launcher of a checkout. */
const PERIPLUS: string = join(import.meta.dir, "..", "..", "bin", "periplus");

/** Starts the server from this checkout as a process of its own, and waits until it says it is ready. */
export async function startPeriplus(options: PeriplusOptions): Promise<Periplus> {
  const folder = await temporaryFolder("periplus");
  const configFile = join(folder.path, "periplus.yaml");
  const listen = options.config.listen ?? `127.0.0.1:${freePort()}`;
  const storage = "storage" in options.config ? options.config.storage : join(folder.path, "data");
  const configure = (config: PeriplusConfig): Promise<void> =>
    writeFile(configFile, stringify({ ...config, listen, storage }));
  await configure(options.config);
  const endpoint: Endpoint = {
    host: options.host ?? listen,
    scheme: options.caFile === undefined ? "http" : "https",
    ...(options.caFile === undefined ? {} : { caFile: options.caFile }),
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
    ...(options.clientCertificate === undefined ? {} : { clientCertificate: options.clientCertificate }),
  };
  const launching = launch({
    command: [PERIPLUS, "serve", "--config", configFile, ...(options.args ?? [])],
    cwd: folder.path,
    logFile: join(folder.path, "periplus.log"),
    ...(options.env === undefined ? {} : { env: options.env }),
    ready: async () => (await get(endpoint, "/readyz", { signal: AbortSignal.timeout(1000) })).ok,
  });
  const running = await launching.catch(async (error: unknown) => {
    await folder[Symbol.asyncDispose]();
    throw error;
  });
  return {
    endpoint,
    running,
    folder: folder.path,
    configFile,
    configure,
    log: () => Bun.file(running.logFile).text(),
    settled: () => until(async () => (await fillsRunning(endpoint)) === 0, "downloads still run"),
    [Symbol.asyncDispose]: async () => {
      await running[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function fillsRunning(endpoint: Endpoint): Promise<number> {
  const [, count = ""] =
    /^periplus_fills_running\{\} (\d+)$/m.exec(await (await get(endpoint, "/metrics")).text()) ?? [];
  return Number.parseInt(count, 10);
}
