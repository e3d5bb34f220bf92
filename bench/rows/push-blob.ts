import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { calmest, costOf, TRUST_METRICS, trustSample } from "../measure/load.ts";
import type { Bench } from "../measure/stage.ts";
import { noiseBlock } from "../origin/content.ts";
import { distributionStore } from "../peers/distribution.ts";
import { periplusStore } from "../peers/periplus.ts";
import { zotStore } from "../peers/zot.ts";
import type { Row, Running, Sample, Stage } from "../row.ts";

const BLOB_BYTES = 2 ** 30;

/** A blob of 1 GiB that nobody has, pushed from a file: POST, then PUT. */
export const pushBlob: Row = {
  id: "push-blob",
  title: "push of a 1 GiB blob",
  lifetime: "round",
  maxRounds: 3,
  metrics: [
    { key: "cpuSPerGB", label: "CPU s/GB", digits: 3 },
    { key: "mbPerS", label: "MB/s", digits: 0 },
    ...TRUST_METRICS,
  ],
  targets: [
    { kind: "ratio", metric: "mbPerS", of: "periplus", over: "distribution", bound: { kind: "atLeast", value: 1 } },
    { kind: "ratio", metric: "cpuSPerGB", of: "periplus", over: "distribution", bound: { kind: "atMost", value: 0.5 } },
  ],
  open,
};

async function open(bench: Bench): Promise<Stage> {
  const file = join(bench.workDir, "push-blob");
  writeNoise(file);
  return {
    contenders: [periplusStore(bench), distributionStore(bench), zotStore(bench)],
    measure: (running) => pushed(bench, running, file),
    close: async () => Bun.file(file).delete(),
  };
}

async function pushed(bench: Bench, running: Running, file: string): Promise<Sample> {
  const { server } = running;
  if (server === undefined) throw new Error("a push needs a server");
  const cost = await calmest(async () => {
    const digest = await stamp(file);
    Bun.spawnSync(["sync"]);
    return costOf(server, bench.serverCore, () => push(running.origin, digest, file));
  });
  return {
    cpuSPerGB: (cost.cpuS * 1e9) / BLOB_BYTES,
    mbPerS: BLOB_BYTES / cost.wallS / 1e6,
    ...trustSample(cost),
  };
}

async function push(origin: string, digest: string, file: string): Promise<void> {
  const begun = await fetch(`${origin}/v2/bench/push/blobs/uploads/`, { method: "POST" });
  const location = new URL(begun.headers.get("location") ?? "", origin);
  if (begun.status !== 202) throw new Error(`${origin} answered ${begun.status} to a push that begins`);
  location.searchParams.set("digest", digest);
  const headers = { "Content-Type": "application/octet-stream" };
  const ended = await fetch(location, { method: "PUT", headers, body: Bun.file(file) });
  if (ended.status !== 201) throw new Error(`${origin} answered ${ended.status}: ${await ended.text()}`);
}

function writeNoise(file: string): void {
  const block = noiseBlock();
  const descriptor = openSync(file, "w");
  for (let at = 0; at < BLOB_BYTES; at += block.byteLength)
    writeSync(descriptor, block, 0, Math.min(block.byteLength, BLOB_BYTES - at));
  closeSync(descriptor);
}

/** Makes the file another blob; its digest. */
async function stamp(file: string): Promise<string> {
  const descriptor = openSync(file, "r+");
  writeSync(descriptor, crypto.getRandomValues(new Uint8Array(32)), 0, 32, 0);
  closeSync(descriptor);
  const hasher = new Bun.CryptoHasher("sha256");
  for await (const bytes of Bun.file(file).stream()) hasher.update(bytes);
  return `sha256:${hasher.digest("hex")}`;
}
