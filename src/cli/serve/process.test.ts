import { afterEach, expect, setDefaultTimeout, spyOn, test } from "bun:test";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadSettings } from "../../config/load.ts";
import { formatProblem } from "../../config/problem.ts";
import { inFolder } from "../../config/storage.ts";
import type { Settings } from "../../config/settings.ts";
import { issueCertificate } from "../../net/test-certificate.ts";
import { digestOf, manifestReply } from "../../registry/testing/content.ts";
import { createLatch } from "../../registry/testing/scripted-reply.ts";
import { type ScriptedUpstream, startScriptedUpstream } from "../../registry/testing/scripted-upstream.ts";
import { Metrics } from "../../server/metrics.ts";
import { uniqueBlob } from "../../server/testing/unique-blob.ts";
import { until } from "../../server/testing/world.ts";
import { createRemoteRegistry } from "../../registry/client.ts";
import { createHosted } from "./hosting.ts";
import { LineSink } from "./lines.ts";
import { ServerProcess } from "./process.ts";
import { RegistryPool } from "./registries.ts";
import { createCache, type Cache } from "./runtime.ts";
import { Steering } from "./steering.ts";
import { openStorage } from "./storage.ts";

// Fault F31: a configuration that changes, for the better and for the worse; and the end of a server.

setDefaultTimeout(20_000);

interface Started {
  readonly server: ServerProcess;
  readonly upstream: ScriptedUpstream;
  readonly folder: string;
  readonly said: string[];
  readonly metrics: Metrics;
  readonly cache: Cache | undefined;
  readonly url: string;
}

const running: Started[] = [];
afterEach(async () => {
  for (const { server, upstream, folder } of running.splice(0)) {
    upstream.stop();
    await server.drain();
    rmSync(folder, { recursive: true });
  }
});

type Config = Readonly<Record<string, unknown>>;
const cacheAll = [{ match: "*", serve: "cache" }];

/** Starts a server on a free port, with its configuration in a file of a folder of its own. */
async function start(
  config: (folder: string) => Config = () => ({}),
  options: {
    readonly prepare?: (folder: string, text: string) => void;
    readonly acceptMs?: number;
    readonly nowMs?: () => number;
  } = {},
): Promise<Started> {
  const folder = mkdtempSync(join(tmpdir(), "periplus-serve-"));
  const upstream = startScriptedUpstream();
  upstream.on("GET", "/v2/b/manifests/1", manifestReply("{}"));
  const text = configText({ upstream, folder }, config(folder));
  (options.prepare ?? ((_, written) => writeFileSync(join(folder, "periplus.yaml"), written)))(folder, text);
  const said: string[] = [];
  const say = (message: string): void => void said.push(message);
  const reread = (): Promise<Settings | undefined> => read(folder, say);
  const settings = await reread();
  if (settings === undefined) throw new Error(said.join("\n"));
  const metrics = new Metrics();
  const pool = new RegistryPool(
    {
      env: {},
      readFile: (path) => Bun.file(path).text(),
      nowMs: () => performance.now(),
      helperTimeoutMs: 1000,
    },
    createRemoteRegistry,
  );
  pool.update(settings.upstreams);
  const cache = await cacheOf(settings, { pool, metrics, warn: say });
  const server = await ServerProcess.start({
    version: "0.0.0",
    settings,
    greets: true,
    lasting: {
      mirrors: cache,
      hosted: settings.table.hasStore && cache ? createHosted(cache, options.nowMs ?? Date.now) : undefined,
      key: new Uint8Array(32),
      steering: new Steering(metrics, say),
    },
    cache,
    metrics,
    metricsText: () => metrics.text(),
    records: new LineSink(1),
    say,
    reread,
    onSwap: ({ upstreams }) => pool.update(upstreams),
    drainTimes: { acceptMs: options.acceptMs ?? 0, finishMs: 10_000 },
  });
  const [, url = ""] = /listens on (\S+)/.exec(said.join("\n")) ?? [];
  const started = { server, upstream, folder, said, metrics, cache, url };
  running.push(started);
  return started;
}

function configText({ upstream, folder }: Pick<Started, "upstream" | "folder">, config: Config): string {
  return JSON.stringify({
    listen: "127.0.0.1:0",
    storage: join(folder, "data"),
    log: "off",
    upstreams: { "registry.test": { url: upstream.url } },
    rules: cacheAll,
    ...config,
  });
}

/** Storage in folders needs no credentials. */
const noBuckets = { env: {}, readFile: () => Promise.reject(new Error("no file is read")), nowMs: () => 0 };

async function cacheOf(
  settings: Settings,
  world: { pool: RegistryPool; metrics: Metrics; warn: (message: string) => void },
): Promise<Cache | undefined> {
  if (settings.storage === undefined) return undefined;
  return createCache({
    ...world,
    storage: await openStorage(settings.storage, noBuckets),
  });
}

async function read(folder: string, say: (message: string) => void): Promise<Settings | undefined> {
  const loaded = await loadSettings({
    file: join(folder, "periplus.yaml"),
    env: {},
    cwd: folder,
    readFile: (path) => Bun.file(path).text(),
  });
  if (loaded.kind === "loaded") return loaded.settings;
  for (const problem of loaded.problems) say(formatProblem(problem));
  return undefined;
}

function configure(started: Started, config: Config): void {
  writeFileSync(join(started.folder, "periplus.yaml"), configText(started, config));
}

async function statusOf({ url }: Started, path: string): Promise<number> {
  return (await fetch(url + path)).status;
}

function reloads({ metrics }: Started, result: "applied" | "refused"): number {
  const [, count = "0"] =
    new RegExp(`periplus_reloads_total\\{result="${result}"\\} (\\d+)`).exec(metrics.text()) ?? [];
  return Number(count);
}

const named = "/v2/old.test/b/manifests/1";
const aliasRule = { match: "old.test", upstream: "registry.test", serve: "cache" };

const bad: readonly [string, (started: Started) => void, RegExp][] = [
  ["no YAML", ({ folder }) => writeFileSync(join(folder, "periplus.yaml"), "rules: [\n- {"), /periplus\.yaml:2:\d+: /],
  ["empty", ({ folder }) => writeFileSync(join(folder, "periplus.yaml"), ""), /periplus\.yaml:\d+:\d+: .*rules/],
  ["gone", ({ folder }) => rmSync(join(folder, "periplus.yaml")), /periplus\.yaml/],
  ["with a key that is none", (started) => configure(started, { rules: [aliasRule, ...cacheAll], rule: 1 }), /rule/],
  [
    "with an upstream that is none",
    (started) => configure(started, { rules: [{ match: "x.test", serve: "cache" }] }),
    /x\.test/,
  ],
  [
    "with rules that overlap",
    (started) => configure(started, { rules: [aliasRule, aliasRule] }),
    /rules\[1\]|old\.test/,
  ],
  [
    "with a file of users that is not there",
    (started) => configure(started, { rules: [aliasRule], auth: { htpasswd: "none" } }),
    /none/,
  ],
  [
    "with a certificate that is not there",
    (started) => configure(started, { rules: [aliasRule], tls: [{ cert: "a", key: "b" }] }),
    /\ba\b/,
  ],
];

test.each(bad)("a configuration that is %s changes nothing, and says where and why (F31)", async (_, spoil, where) => {
  const started = await start();
  expect(await statusOf(started, "/v2/registry.test/b/manifests/1")).toBe(200);
  const before = started.said.length;
  spoil(started);
  await started.server.reload();
  const said = started.said.slice(before).join("\n");
  expect(said).toMatch(where);
  expect(said).toContain("nothing has changed");
  expect(await statusOf(started, "/v2/registry.test/b/manifests/1")).toBe(200);
  expect(await statusOf(started, named)).toBe(404);
  expect(await statusOf(started, "/readyz")).toBe(200);
  expect(reloads(started, "refused")).toBeGreaterThan(0);
  expect(reloads(started, "applied")).toBe(0);
  // And it is not the end of reloading.
  configure(started, { rules: [aliasRule, ...cacheAll] });
  await started.server.reload();
  expect(await statusOf(started, named)).toBe(200);
});

test("a file of users with a line that is no user changes nothing", async () => {
  const started = await start();
  writeFileSync(join(started.folder, "users"), "# comment\nann:plain\n");
  configure(started, { rules: [aliasRule, ...cacheAll], auth: { htpasswd: "users" } });
  await started.server.reload();
  expect(started.said.join("\n")).toMatch(/users:2: only bcrypt/);
  expect(await statusOf(started, named)).toBe(404);
  expect(await statusOf(started, "/v2/")).toBe(200);
});

test("a good configuration is in force at once, while a pull by the old one goes on", async () => {
  const started = await start();
  const blob = uniqueBlob(700_000);
  const gate = createLatch();
  started.upstream.on("GET", `/v2/${blob.path}`, { body: blob.blob, hold: { at: 300_000, until: gate.opened } });
  const pull = await fetch(`${started.url}/v2/registry.test/${blob.path}`);
  configure(started, { rules: [aliasRule] });
  await started.server.reload();
  expect(await statusOf(started, named)).toBe(200);
  expect(await statusOf(started, "/v2/registry.test/b/manifests/1")).toBe(404);
  gate.open();
  expect(digestOf(await pull.bytes())).toBe(blob.digest);
  expect(reloads(started, "applied")).toBeGreaterThan(0);
});

test("a file that is written to is read again without being told", async () => {
  const started = await start();
  configure(started, { rules: [aliasRule, ...cacheAll] });
  await until(async () => (await statusOf(started, named)) === 200, "the change is seen");
});

test("a link that is turned to another folder, as Kubernetes does it, is seen; a bad one changes nothing (F31)", async () => {
  let text = "";
  const folderOf = (folder: string, name: string): string => join(folder, name);
  const put = (folder: string, name: string, written: string): void => {
    mkdirSync(folderOf(folder, name));
    writeFileSync(join(folderOf(folder, name), "periplus.yaml"), written);
    symlinkSync(name, join(folder, "..data_tmp"));
    renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
  };
  const prepare = (folder: string, written: string): void => {
    text = written;
    put(folder, "..1", text);
    symlinkSync("..data/periplus.yaml", join(folder, "periplus.yaml"));
  };
  const started = await start(undefined, { prepare });
  put(started.folder, "..2", text.replace('"rules":[', `"rules":[${JSON.stringify(aliasRule)},`));
  await until(async () => (await statusOf(started, named)) === 200, "the turn is seen");
  put(started.folder, "..3", "rules: {");
  await until(() => started.said.some((line) => line.includes("nothing has changed")), "the bad turn is seen");
  expect(await statusOf(started, named)).toBe(200);
  put(started.folder, "..4", text);
  await until(async () => (await statusOf(started, named)) === 404, "the next good turn is seen");
});

test("what cannot change while it runs is said", async () => {
  const started = await start();
  configure(started, { listen: "127.0.0.1:1", rules: [aliasRule, ...cacheAll] });
  await started.server.reload();
  expect(started.said.join("\n")).toContain("listen changed: that takes a restart");
  expect(await statusOf(started, named)).toBe(200);
});

test("a server that was started without a storage folder does not begin to cache", async () => {
  const rules = [{ match: "*", upstream: "registry.test", serve: "redirect" }];
  const started = await start(() => ({ rules, storage: undefined }));
  const redirected = (): Promise<number> =>
    fetch(`${started.url}/v2/b/manifests/1`, { redirect: "manual" }).then(({ status }) => status);
  expect(await redirected()).toBe(307);
  configure(started, {});
  await started.server.reload();
  expect(started.said.join("\n")).toMatch(/needs a storage folder.*restart|restart.*storage/);
  expect(await redirected()).toBe(307);
});

test("certificates that are written anew are shown without a restart", async () => {
  const authority = { commonName: "authority.test", ...issueCertificate({ commonName: "authority.test" }) };
  const write = (folder: string): void => {
    const issued = issueCertificate({
      commonName: "localhost",
      dnsNames: ["localhost"],
      addresses: ["127.0.0.1"],
      issuer: authority,
    });
    writeFileSync(join(folder, "tls.crt"), issued.cert);
    writeFileSync(join(folder, "tls.key"), issued.key);
  };
  const started = await start((folder) => {
    write(folder);
    return { tls: [{ cert: "tls.crt", key: "tls.key" }] };
  });
  const get = (path: string): Promise<Response> =>
    fetch(started.url + path, { tls: { ca: authority.cert }, keepalive: false });
  expect((await get("/readyz")).status).toBe(200);
  // Half of a change: the key is another's. It is refused, and the other half makes it good.
  const key = await Bun.file(join(started.folder, "tls.key")).text();
  write(started.folder);
  const next = await Bun.file(join(started.folder, "tls.key")).text();
  writeFileSync(join(started.folder, "tls.key"), key);
  await started.server.reload();
  expect(started.said.join("\n")).toContain("nothing has changed");
  writeFileSync(join(started.folder, "tls.key"), next);
  await started.server.reload();
  expect((await get("/v2/registry.test/b/manifests/1")).status).toBe(200);
  expect(reloads(started, "applied")).toBeGreaterThan(0);
});

test("a server that stops is not ready, still accepts, lets a pull finish and closes its folder (F29)", async () => {
  const started = await start(undefined, { acceptMs: 1000 });
  const blob = uniqueBlob(700_000);
  const gate = createLatch();
  started.upstream.on("GET", `/v2/${blob.path}`, { body: blob.blob, hold: { at: 300_000, until: gate.opened } });
  const pull = await fetch(`${started.url}/v2/registry.test/${blob.path}`);
  const drained = started.server.drain();
  expect(await statusOf(started, "/readyz")).toBe(503);
  expect(await statusOf(started, "/v2/registry.test/b/manifests/1")).toBe(200);
  gate.open();
  expect(digestOf(await pull.bytes())).toBe(blob.digest);
  await drained;
  running.splice(running.indexOf(started), 1);
  expect(
    await fetch(started.url).then(
      () => "answered",
      () => "refused",
    ),
  ).toBe("refused");
  const again = await openStorage(inFolder(join(started.folder, "data")), noBuckets);
  expect((await again.index.counts()).blobs).toBe(1);
  await again.close();
  started.upstream.stop();
  rmSync(started.folder, { recursive: true });
});

/** What work came to, and a function that runs what it had set to run after or every so long. */
async function withTimers<T>(work: () => Promise<T>): Promise<readonly [T, (ms: number) => void]> {
  const spies = [spyOn(globalThis, "setTimeout"), spyOn(globalThis, "setInterval")];
  const done = await work();
  const calls = spies.flatMap(({ mock }) => mock.calls);
  for (const spy of spies) spy.mockRestore();
  const run = (ms: number): void => {
    for (const [action, afterMs] of calls) if (afterMs === ms) (action as () => void)();
  };
  return [done, run];
}

test("the times of pulls are written every 30 s", async () => {
  const [started, runTimers] = await withTimers(() => start());
  const { blob, digest, path } = uniqueBlob(1000);
  started.upstream.on("GET", `/v2/${path}`, { body: blob });
  const pull = async (): Promise<number> => (await fetch(`${started.url}/v2/registry.test/${path}`)).status;
  const pulledAtMs = async (): Promise<number> => (await started.cache?.storage.index.blob(digest))?.pulledAtMs ?? 0;
  expect(await pull()).toBe(200);
  await until(async () => (await pulledAtMs()) > 0, "the blob is held");
  const firstMs = await pulledAtMs();
  await Bun.sleep(2);
  expect(await pull()).toBe(200);
  expect(await pulledAtMs()).toBe(firstMs);
  runTimers(30_000);
  await until(async () => (await pulledAtMs()) > firstMs, "the time is written");
});

test.each([
  ["a minute after the start", 60_000],
  ["once an hour", 3_600_000],
])("what no manifest names is collected %s", async (_, everyMs) => {
  let nowMs = Date.now();
  const store = { rules: [{ match: "*", serve: "store" }] };
  const [started, runTimers] = await withTimers(() => start(() => store, { nowMs: () => nowMs }));
  const digest = digestOf("loose");
  const pushed = await fetch(`${started.url}/v2/app/blobs/uploads/?digest=${digest}`, {
    method: "POST",
    body: "loose",
  });
  expect(pushed.status).toBe(201);
  expect(await statusOf(started, `/v2/app/blobs/${digest}`)).toBe(200);
  nowMs += 10 * 86_400_000;
  runTimers(everyMs);
  await until(async () => (await statusOf(started, `/v2/app/blobs/${digest}`)) === 404, "the blob is collected");
});
