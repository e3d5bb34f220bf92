import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeServing } from "../../cli/serve/generation.ts";
import { createHosted } from "../../cli/serve/hosting.ts";
import { exposeProcess } from "../../cli/serve/runtime.ts";
import { Steering } from "../../cli/serve/steering.ts";
import { openStorage, type Storage } from "../../cli/serve/storage.ts";
import { credentialSource } from "../../config/credentials.ts";
import { loadSettings } from "../../config/load.ts";
import { formatProblem } from "../../config/problem.ts";
import type { Settings } from "../../config/settings.ts";
import { inFolder } from "../../config/storage.ts";
import { BlobMirror } from "../../mirror/blobs.ts";
import { downloadLimits } from "../../mirror/download.ts";
import { ManifestMirror } from "../../mirror/manifests.ts";
import { PageMirror } from "../../mirror/pages.ts";
import { Quota } from "../../mirror/quota.ts";
import { createRemoteRegistry } from "../../registry/client.ts";
import type { RemoteRegistry } from "../../registry/remote.ts";
import type { Fetch } from "../../registry/transport.ts";
import { testAuthority } from "../../registry/testing/certificates.ts";
import { testEgress } from "../../registry/testing/egress.ts";
import { createManualClock, type ManualClock } from "../../registry/testing/manual-clock.ts";
import { type ScriptedUpstream, startScriptedUpstream } from "../../registry/testing/scripted-upstream.ts";
import type { ContentStore } from "../../store/content.ts";
import { App } from "../app.ts";
import { Metrics } from "../metrics.ts";
import { accessLog } from "../record.ts";
import type { Mirrors } from "../serving.ts";

/** What a test's server is different in. */
export interface WorldOptions {
  /** Keys of the configuration file, above those that every world has. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Keys of the upstream registry.test. */
  readonly upstream?: Readonly<Record<string, unknown>>;
  /** Files beside the configuration, by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** Another store of content around the real one. */
  readonly content?: (inner: ContentStore) => ContentStore;
  /** Names beside the configured ones that count as public, and who answers for them. */
  readonly names?: Readonly<Record<string, ScriptedUpstream>>;
  readonly upstreamTls?: { readonly cert: string; readonly key: string };
  /** The time of our own repositories, when it is another than the world's. */
  readonly hostedNowMs?: () => number;
  /** An upstream that a test has started already. */
  readonly started?: ScriptedUpstream;
}

/** The whole core over a folder of its own, in front of a scripted upstream. Its time stands still until a test moves it. */
export interface World extends AsyncDisposable {
  readonly app: App;
  readonly upstream: ScriptedUpstream;
  readonly clock: ManualClock;
  readonly storage: Storage;
  readonly blobs: BlobMirror;
  readonly quota: Quota;
  readonly settings: Settings;
  /** Access records, in order. */
  readonly records: readonly string[];
  /** Messages for people, in order. */
  readonly said: readonly string[];
  /** One request without a port, from a loopback address unless said otherwise. */
  ask(path: string, init?: RequestInit & { readonly from?: string }): Promise<Response>;
  /** Settings made of other keys, with the files and the upstream that there are. */
  load(config: Readonly<Record<string, unknown>>): Promise<Settings>;
}

const host = "registry.test";
/** Storage in folders needs no credentials. */
const noBuckets = { env: {}, readFile: () => Promise.reject(new Error("no file is read")), nowMs: () => 0 };

/** Puts a world together. Dispose of it with `await using`. */
export async function createWorld(options: WorldOptions = {}): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), "periplus-server-"));
  const upstream =
    options.started ?? startScriptedUpstream({ ...(options.upstreamTls && { tls: options.upstreamTls }) });
  for (const [name, text] of Object.entries(options.files ?? {})) await writeFile(join(folder, name), text);
  const load = (config: Readonly<Record<string, unknown>>): Promise<Settings> =>
    loadWorldSettings(folder, {
      upstreams: { [host]: { url: upstream.url, ...options.upstream } },
      rules: [{ match: "*", serve: "cache" }],
      ...config,
    });
  const settings = await load(options.config ?? {});
  const said: string[] = [];
  const records: string[] = [];
  const metrics = new Metrics();
  const clock = createManualClock();
  const storage = await openStorage(inFolder(join(folder, "data")), noBuckets);
  const { quota, ...mirrors } = createMirrors({ options, settings, clock, storage, said, metrics });
  const serving = await makeServing(settings, {
    mirrors,
    hosted: createHosted({ storage, quota }, options.hostedNowMs ?? (() => clock.epochMs())),
    key: new Uint8Array(32).fill(7),
    steering: new Steering(metrics, (message) => said.push(message)),
  });
  exposeProcess(metrics, () => settings, "0.0.0");
  const app = new App(serving, {
    metrics,
    metricsText: () => metrics.text(),
    log: accessLog("json", (line) => records.push(line)),
    nowMs: () => clock.epochMs(),
    report: (message) => said.push(message),
  });
  return {
    app,
    upstream,
    clock,
    storage,
    blobs: mirrors.blobs,
    quota,
    settings,
    records,
    said,
    load,
    ask: async (path, { from = "127.0.0.1", ...init } = {}) =>
      app.handle(new Request(`http://cache.test${path}`, init), { requestIP: () => ({ address: from }) }),
    [Symbol.asyncDispose]: async () => {
      upstream.stop();
      await mirrors.blobs.stop();
      await serving.hosted?.uploads.close();
      await storage.close();
      await rm(folder, { recursive: true });
    },
  };
}

/** Waits until no download runs. */
export async function settled(blobs: BlobMirror): Promise<void> {
  await until(() => blobs.runningFills === 0, "downloads still run");
}

/** Waits for a condition, turn by turn, at most ten seconds. */
export async function until(condition: () => boolean | Promise<boolean>, otherwise: string): Promise<void> {
  const deadlineMs = performance.now() + 10_000;
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new Error(`waited in vain: ${otherwise}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function loadWorldSettings(folder: string, config: Readonly<Record<string, unknown>>): Promise<Settings> {
  const file = join(folder, "periplus.yaml");
  const loaded = await loadSettings({
    file,
    text: JSON.stringify(config),
    env: {},
    cwd: folder,
    readFile: (path) => Bun.file(path).text(),
  });
  if (loaded.kind === "invalid") throw new Error(loaded.problems.map(formatProblem).join("\n"));
  return loaded.settings;
}

interface MirrorWorld {
  readonly options: WorldOptions;
  readonly settings: Settings;
  readonly clock: ManualClock;
  readonly storage: Storage;
  readonly said: string[];
  readonly metrics: Metrics;
}

function createMirrors(world: MirrorWorld): Mirrors & { readonly quota: Quota } {
  const { options, clock, storage, said, metrics } = world;
  const { index } = storage;
  const nowMs = (): number => clock.epochMs();
  const content = options.content?.(storage.content) ?? storage.content;
  const registryOf = registriesOf(world);
  const count = (name: string): void => metrics.add(name, "", 1);
  const events = {
    wrongBytes: (_: string, message: string) => said.push(message),
    notKept: (message: string) => said.push(message),
    brokenOff: (_: string, message: string) => said.push(message),
    evicted: () => count("evicted"),
    fillStarted: () => count("fills"),
    fillEnded: () => count("fills_ended"),
  };
  const after = (ms: number): Promise<undefined> =>
    new Promise((resolve) => clock.schedule(ms, () => resolve(undefined)));
  const quota = new Quota(index, content, nowMs, () => undefined);
  const manifests = new ManifestMirror({ index, registryOf, nowMs, after });
  return {
    quota,
    blobs: new BlobMirror({ index, content, quota, registryOf, limits: downloadLimits, events, nowMs }),
    manifests,
    pages: new PageMirror({ index, manifests, registryOf, nowMs, after }),
  };
}

function registriesOf({ options, settings, clock }: MirrorWorld): (host: string) => RemoteRegistry {
  const names = Object.entries(options.names ?? {}).map(
    ([name, { url }]) => [name, Number(new URL(url).port)] as const,
  );
  const world = {
    env: {},
    readFile: (path: string) => Bun.file(path).text(),
    nowMs: () => clock.nowMs(),
    helperTimeoutMs: 1000,
  };
  const registries = new Map(
    [...settings.upstreams.values()].map((upstream) => [
      upstream.host as string,
      createRemoteRegistry({
        upstream,
        credentials: credentialSource(upstream, world),
        fetch: believing,
        egress: testEgress(Object.fromEntries(names)),
        clock,
        random: () => 0,
      }),
    ]),
  );
  return (name) => {
    const registry = registries.get(name);
    if (registry === undefined) throw new Error(`${name} is no upstream of this test`);
    return registry;
  };
}

const believing: Fetch = (url, init) => fetch(url, { ...init, tls: { ca: testAuthority, ...init.tls } });
