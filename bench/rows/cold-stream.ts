import { calmest, costOf, TRUST_METRICS, trustSample } from "../measure/load.ts";
import { pull } from "../measure/pull.ts";
import type { Bench } from "../measure/stage.ts";
import type { Image } from "../origin/content.ts";
import { type Origin, startOrigin } from "../origin/client.ts";
import { bare } from "../peers/bare.ts";
import { distribution } from "../peers/distribution.ts";
import { goCopy } from "../peers/gocopy.ts";
import { periplusCache } from "../peers/periplus.ts";
import type { Row, Running, Sample, Stage } from "../row.ts";

const BLOB_BYTES = 64 << 20;
const BLOBS = 16;
const WARM_BLOBS = 4;
const STREAMS = 4;
const DEADLINE_MS = 60_000;

/** Blobs that no one has pulled yet, each by one client, four at a time, from an upstream as fast as it goes. */
export const coldStream: Row = {
  id: "cold-stream",
  title: "cold stream with hash and disk",
  lifetime: "round",
  metrics: [
    { key: "cpuSPerGB", label: "CPU s/GB", digits: 3 },
    { key: "mbPerS", label: "MB/s", digits: 0 },
    ...TRUST_METRICS,
  ],
  targets: [
    { kind: "ratio", metric: "cpuSPerGB", of: "periplus", over: "Go io.Copy", bound: { kind: "atMost", value: 1 } },
  ],
  open,
};

async function open(bench: Bench): Promise<Stage> {
  const origin = await startOrigin(bench);
  return {
    contenders: [
      periplusCache(bench, origin.url),
      goCopy(bench, origin.url, "copied"),
      goCopy(bench, origin.url, "published"),
      distribution(bench, origin.url),
      bare(bench, { kind: "fill", upstream: origin.url }),
    ],
    measure: (running) => streamLoad(bench, running, origin),
    close: () => origin.stop(),
  };
}

async function streamLoad(bench: Bench, running: Running, origin: Origin): Promise<Sample> {
  const { server } = running;
  if (server === undefined) throw new Error("a cold stream needs a server");
  await pullAll(running, await newImages(origin, WARM_BLOBS));
  const cost = await calmest(async () => {
    const images = await newImages(origin, BLOBS);
    settleDisk();
    return costOf(server, bench.serverCore, () => pullAll(running, images));
  });
  const bytes = BLOBS * BLOB_BYTES;
  return {
    cpuSPerGB: (cost.cpuS * 1e9) / bytes,
    mbPerS: bytes / cost.wallS / 1e6,
    ...trustSample(cost),
  };
}

/** What others have written is put on the disk first, so that no one pays for it in its own time. */
function settleDisk(): void {
  Bun.spawnSync(["sync"]);
}

async function newImages(origin: Origin, count: number): Promise<readonly Image[]> {
  const images: Image[] = [];
  for (let i = 0; i < count; i += 1) images.push(await origin.addImage("library/stream", BLOB_BYTES));
  return images;
}

async function pullAll(running: Running, images: readonly Image[]): Promise<void> {
  const left = [...images];
  const stream = async (): Promise<void> => {
    for (let image = left.pop(); image !== undefined; image = left.pop()) await pullBlob(running, image);
  };
  await Promise.all(Array.from({ length: STREAMS }, stream));
}

async function pullBlob(running: Running, image: Image): Promise<void> {
  const url = `${running.origin}/v2/${image.repository}/blobs/${image.layerDigest}`;
  const result = await pull({ url, deadlineMs: DEADLINE_MS });
  if (result.status !== 200 || !result.complete || result.bodyBytes < BLOB_BYTES) {
    throw new Error(`${url}: status ${result.status}, ${result.bodyBytes} bytes, complete: ${result.complete}`);
  }
}
