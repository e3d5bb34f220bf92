import { type FileWatch, systemWatch, watchFiles } from "../../config/watch.ts";
import type { Settings } from "../../config/settings.ts";
import { asFailure } from "../../errors/failure.ts";
import { sweepContent } from "../../mirror/housekeeping.ts";
import { App } from "../../server/app.ts";
import type { AdminSocket } from "../../server/admin-socket.ts";
import { Listener } from "../../server/listener.ts";
import type { Metrics } from "../../server/metrics.ts";
import { accessLog } from "../../server/record.ts";
import { openAdmin } from "./admin.ts";
import { banner } from "./banner.ts";
import { type Lasting, makeServing, readTls } from "./generation.ts";
import { keepCollecting } from "./hosting.ts";
import type { LineSink } from "./lines.ts";
import type { Cache } from "./runtime.ts";

/** How a server stops. */
export interface DrainTimes {
  /** It still accepts this long: until those who send work have seen that it is not ready. */
  readonly acceptMs: number;
  /** Pulls may take this long to finish after that. */
  readonly finishMs: number;
}

/** Who supervises a server waits longer than both together before it kills it. */
export const drainTimes: DrainTimes = { acceptMs: 5000, finishMs: 25_000 };

const flushPullsMs = 30_000;

/** What a server process is made of. */
export interface ProcessParts {
  readonly version: string;
  readonly settings: Settings;
  /** Says at the start where it is and what it does. */
  readonly greets: boolean;
  readonly lasting: Lasting;
  readonly cache: Cache | undefined;
  readonly metrics: Metrics;
  readonly metricsText: () => string | Promise<string>;
  readonly records: LineSink;
  /** Messages for people. */
  readonly say: (message: string) => void;
  /** Reads the configuration again; problems are said, and give `undefined`. */
  readonly reread: () => Promise<Settings | undefined>;
  readonly onSwap: (settings: Settings) => void;
  readonly drainTimes: DrainTimes;
}

/** A server from its first request to its last. */
export class ServerProcess {
  readonly #parts: ProcessParts;
  readonly #app: App;
  readonly #listener: Listener;
  readonly #stop = new AbortController();
  #watch: FileWatch | undefined;
  #admin: AdminSocket | undefined;
  #tlsText: string;
  #reloading: Promise<void> = Promise.resolve();

  private constructor(parts: ProcessParts, app: App, listener: Listener, tlsText: string) {
    this.#parts = parts;
    this.#app = app;
    this.#listener = listener;
    this.#tlsText = tlsText;
  }

  /** Starts to serve. Throws `CONFIG_INVALID` when the port or a file cannot be used. */
  static async start(parts: ProcessParts): Promise<ServerProcess> {
    const { settings, metrics, records, say } = parts;
    const serving = await makeServing(settings, parts.lasting);
    const tls = await readTls(settings);
    for (const warning of tls?.warnings ?? []) say(warning);
    const log = accessLog(settings.log, (line) => records.write(line));
    const app = new App(serving, { metrics, metricsText: parts.metricsText, log, nowMs: Date.now, report: say });
    const listener = new Listener(app, {
      ...settings.listen,
      tls: tls?.options,
      isShared: settings.workers > 1,
      takesUploads: settings.table.hasStore,
    });
    const started = new ServerProcess(parts, app, listener, JSON.stringify(tls?.options));
    await started.#begin();
    return started;
  }

  get app(): App {
    return this.#app;
  }

  /** Reads the configuration again and swaps it in whole; a bad one changes nothing and says why. */
  reload(): Promise<void> {
    this.#reloading = this.#reloading.then(() => this.#reload());
    return this.#reloading;
  }

  /** Says not ready, accepts a little longer, lets pulls finish, and closes everything. */
  async drain(): Promise<void> {
    const { say, cache, records, drainTimes } = this.#parts;
    const { acceptMs, finishMs } = drainTimes;
    say(
      `stopping: not ready any more, accepting for ${acceptMs / 1000} s, then up to ${finishMs / 1000} s for what runs`,
    );
    this.#app.drain();
    this.#watch?.close();
    await Bun.sleep(acceptMs);
    await this.#listener.stop(finishMs);
    this.#stop.abort();
    await this.#admin?.close();
    await cache?.blobs.stop();
    await this.#app.serving.hosted?.uploads.close();
    await this.#flushPulls();
    await cache?.storage.close();
    records.flush();
  }

  async #begin(): Promise<void> {
    const { version, settings, say, cache } = this.#parts;
    if (cache !== undefined) {
      this.#admin = await openAdmin({ cache, say, settings: () => this.#app.serving.settings });
    }
    if (this.#parts.greets) say(banner(version, this.#listener.url, settings));
    this.#watchFiles(settings);
    if (cache !== undefined) this.#keepHouse(cache);
  }

  async #reload(): Promise<void> {
    const { say, reread, lasting, metrics, onSwap } = this.#parts;
    try {
      const settings = await reread();
      if (settings === undefined) throw new Error("the configuration has problems");
      this.#refuseWithoutStorage(settings);
      const serving = await makeServing(settings, lasting);
      const tls = await readTls(settings);
      for (const warning of tls?.warnings ?? []) say(warning);
      this.#sayWhatNeedsRestart(this.#app.serving.settings, settings);
      const tlsText = JSON.stringify(tls?.options);
      if (tls !== undefined && tlsText !== this.#tlsText) this.#listener.rotate(tls.options);
      this.#tlsText = tlsText;
      onSwap(settings);
      this.#app.swap(serving);
      this.#watchFiles(settings);
      metrics.add("periplus_reloads_total", 'result="applied"', 1);
      say("reloaded the configuration");
    } catch (error) {
      metrics.add("periplus_reloads_total", 'result="refused"', 1);
      say(asFailure(error, "CONFIG_INVALID", "reload refused, nothing has changed").message);
    }
  }

  #refuseWithoutStorage({ table }: Settings): void {
    if (this.#parts.cache !== undefined || table.rules.every(({ serve }) => serve === "redirect")) return;
    throw new Error("a cache or store needs a storage folder, and this process was started without one; restart it");
  }

  #sayWhatNeedsRestart(before: Settings, now: Settings): void {
    const needed: string[] = (["listen", "storage", "workers", "log", "adminSocket"] as const).filter(
      (key) => !Bun.deepEquals(before[key], now[key]),
    );
    if ((before.tls.length === 0) !== (now.tls.length === 0)) needed.push("listen");
    // An open listener keeps the size of bodies that it was opened for.
    if (now.table.hasStore && !before.table.hasStore) needed.push("rules");
    if (needed.length > 0) this.#parts.say(`${needed.join(", ")} changed: that takes a restart`);
  }

  #watchFiles(settings: Settings): void {
    this.#watch?.close();
    if (settings.files.length === 0) return;
    this.#watch = watchFiles(settings.files, { ...systemWatch, onChange: () => void this.reload() });
  }

  async #flushPulls(): Promise<void> {
    const { say, cache } = this.#parts;
    await cache?.quota
      .flushPulls()
      .catch((error: unknown) => say(asFailure(error, "STORAGE_FAILED", "times of pulls").message));
  }

  #keepHouse(cache: Cache): void {
    const { say, metrics } = this.#parts;
    const timer = setInterval(() => void this.#flushPulls(), flushPullsMs);
    timer.unref();
    this.#stop.signal.addEventListener("abort", () => clearInterval(timer));
    const { hosted } = this.#app.serving;
    if (hosted !== undefined) keepCollecting({ storage: cache.storage, hosted }, metrics, this.#stop.signal, say);
    const pace = { signal: this.#stop.signal, pause: () => Bun.sleep(20) };
    const { content, index } = cache.storage;
    sweepContent(content, index, pace)
      .then(({ removedFiles }) => metrics.add("periplus_swept_files_total", "", removedFiles))
      .catch((error: unknown) => say(asFailure(error, "STORAGE_FAILED", "sweeping the storage").message));
  }
}
