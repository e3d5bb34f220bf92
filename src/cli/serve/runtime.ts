import type { Settings } from "../../config/settings.ts";
import { BlobMirror } from "../../mirror/blobs.ts";
import { downloadLimits } from "../../mirror/download.ts";
import type { MirrorEvents } from "../../mirror/events.ts";
import { ManifestMirror } from "../../mirror/manifests.ts";
import { PageMirror } from "../../mirror/pages.ts";
import { Quota } from "../../mirror/quota.ts";
import { tolerantIndex } from "../../mirror/tolerant-index.ts";
import { label, type Metrics } from "../../server/metrics.ts";
import type { Mirrors } from "../../server/serving.ts";
import type { RegistryPool } from "./registries.ts";
import type { Storage } from "./storage.ts";

/** What a cache is run with. */
export interface MirrorWorld {
  readonly storage: Storage;
  readonly pool: RegistryPool;
  readonly metrics: Metrics;
  readonly warn: (message: string) => void;
}

/** A running cache: its parts, and the quota that its housekeeping shares with it. */
export interface Cache extends Mirrors {
  readonly storage: Storage;
  readonly quota: Quota;
}

/** Puts the parts of a cache together over an open storage folder. */
export function createCache(world: MirrorWorld): Cache {
  const { storage, pool } = world;
  const { content } = storage;
  const events = mirrorEvents(world);
  const index = tolerantIndex(storage.index, (message) => events.notKept(message));
  const nowMs = Date.now;
  const after = (ms: number): Promise<undefined> => Bun.sleep(ms).then(() => undefined);
  const registryOf = pool.of.bind(pool);
  const quota = new Quota(storage.index, content, nowMs, (count, sizeBytes) => events.evicted(count, sizeBytes));
  const blobs = new BlobMirror({ index, content, quota, registryOf, limits: downloadLimits, events, nowMs });
  const manifests = new ManifestMirror({ index, registryOf, nowMs, after });
  const pages = new PageMirror({ index, manifests, registryOf, nowMs, after });
  return { storage, quota, blobs, manifests, pages };
}

/** Registers what is read from a running cache when metrics are scraped. */
export function exposeCache(metrics: Metrics, { blobs }: Cache): void {
  metrics.register({
    name: "periplus_fills_running",
    help: "Downloads of blobs that run now.",
    type: "gauge",
    read: () => [{ labels: {}, value: blobs.runningFills }],
  });
}

/** Registers what every process exposes. */
export function exposeProcess(metrics: Metrics, settings: () => Settings, version: string): void {
  metrics.register({
    name: "periplus_build_info",
    help: "The version that runs.",
    type: "gauge",
    read: () => [{ labels: { version }, value: 1 }],
  });
  metrics.register({
    name: "periplus_rules",
    help: "Rules in force.",
    type: "gauge",
    read: () => [{ labels: {}, value: settings().table.rules.length }],
  });
  metrics.register({
    name: "process_resident_memory_bytes",
    help: "Resident memory.",
    type: "gauge",
    read: () => [{ labels: {}, value: process.memoryUsage.rss() }],
  });
}

function mirrorEvents({ metrics, warn }: MirrorWorld): MirrorEvents {
  return {
    wrongBytes: (upstream, message) => {
      metrics.add("periplus_upstream_wrong_bytes_total", label("upstream", upstream), 1);
      warn(message);
    },
    notKept: (message) => {
      metrics.add("periplus_not_kept_total", "", 1);
      warn(message);
    },
    brokenOff: (upstream, message) => {
      metrics.add("periplus_fills_broken_off_total", label("upstream", upstream), 1);
      warn(message);
    },
    evicted: (count, sizeBytes) => {
      metrics.add("periplus_evicted_blobs_total", "", count);
      metrics.add("periplus_evicted_bytes_total", "", sizeBytes);
    },
    fillStarted: (upstream) => metrics.add("periplus_fills_total", label("upstream", upstream), 1),
    fillEnded: (upstream, receivedBytes) =>
      metrics.add("periplus_upstream_received_bytes_total", label("upstream", upstream), receivedBytes),
  };
}
