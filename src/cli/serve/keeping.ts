import { setTimeout } from "node:timers/promises";
import type { Settings } from "../../config/settings.ts";
import type { Keeping } from "../../mirror/keeping/keeping.ts";
import type { Cache } from "./runtime.ts";

/** A cache under the settings in force, for the operations on it. */
export function keepingOf(cache: Cache, { table, upstreams }: Settings): Keeping {
  const { storage, quota, blobs, manifests, pages } = cache;
  return {
    index: storage.index,
    hosted: storage.hosted,
    content: storage.content,
    quota,
    blobs,
    manifests,
    pages,
    registries: { table, knows: (host) => upstreams.has(host) },
    urlOf: (host) => upstreams.get(host)?.url,
    nowMs: Date.now,
    pause: (ms, signal) => setTimeout(ms, undefined, { signal }).catch(() => undefined),
  };
}
