import { randomBytes } from "node:crypto";
import { HostedBlobs } from "../../hosted/blobs.ts";
import { collectHosted, collectionTimes } from "../../hosted/collect.ts";
import { Uploads } from "../../hosted/uploads.ts";
import { asFailure } from "../../errors/failure.ts";
import type { Metrics } from "../../server/metrics.ts";
import type { Hosted } from "../../server/hosted/hosted.ts";
import type { Cache } from "./runtime.ts";

/** Our own repositories over a storage folder that a cache may share. */
export function createHosted({ storage, quota }: Pick<Cache, "storage" | "quota">, nowMs: () => number): Hosted {
  const { hosted: index, content, index: held } = storage;
  return {
    index,
    nowMs,
    blobs: new HostedBlobs({ index, held, content, nowMs }),
    uploads: new Uploads({
      store: storage.uploads,
      makeRoom: (neededBytes) => quota.makeRoomOnDisk(neededBytes),
      randomId: () => randomBytes(16).toString("hex"),
    }),
  };
}

interface CollectedParts extends Pick<Cache, "storage"> {
  readonly hosted: Hosted;
}

const collectEveryMs = 3_600_000;
/** Not at the start itself, which has other things to do; soon, for servers that are started often. */
const collectFirstMs = 60_000;

/** Takes away, soon after the start, then once an hour and until the signal, what no manifest names. */
export function keepCollecting(
  { storage: { content }, hosted: { index, uploads, nowMs } }: CollectedParts,
  metrics: Metrics,
  signal: AbortSignal,
  say: (message: string) => void,
): void {
  const collect = async (): Promise<void> => {
    try {
      const {
        blobs,
        files,
        uploads: swept,
      } = await collectHosted({ index, content, uploads, nowMs }, collectionTimes, signal);
      metrics.add("periplus_collected_blobs_total", "", blobs);
      metrics.add("periplus_collected_files_total", "", files);
      metrics.add("periplus_swept_uploads_total", "", swept);
    } catch (error) {
      say(asFailure(error, "STORAGE_FAILED", "collecting what nothing names").message);
    }
  };
  const timers = [setTimeout(() => void collect(), collectFirstMs), setInterval(() => void collect(), collectEveryMs)];
  for (const timer of timers) timer.unref();
  signal.addEventListener("abort", () => timers.forEach(clearTimeout));
}
