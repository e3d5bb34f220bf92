import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { calmest, costOf, TRUST_METRICS, trustSample } from "../measure/load.ts";
import { type Bench, emptyDir } from "../measure/stage.ts";
import { wrk } from "../measure/wrk.ts";
import { noiseBlock, pieces } from "../origin/content.ts";
import { startOrigin } from "../origin/client.ts";
import { bare } from "../peers/bare.ts";
import { distribution } from "../peers/distribution.ts";
import { nginxFiles } from "../peers/nginx.ts";
import { periplusCache } from "../peers/periplus.ts";
import type { Row, Running, Sample, Stage } from "../row.ts";
import { expectAnswer } from "./expect.ts";

const BLOB_BYTES = 64 << 20;
const CONNECTIONS = 8;

/** A blob of 64 MiB that is held, to a few clients at once. */
export const blobHeld: Row = {
  id: "blob-held",
  title: "64 MiB blob held",
  lifetime: "row",
  metrics: [
    { key: "cpuSPerGB", label: "CPU s/GB", digits: 3 },
    { key: "mbPerS", label: "MB/s", digits: 0 },
    ...TRUST_METRICS,
  ],
  targets: [
    { kind: "ratio", metric: "cpuSPerGB", of: "periplus", over: "nginx", bound: { kind: "atMost", value: 1.2 } },
    { kind: "ratio", metric: "cpuSPerGB", of: "periplus", over: "distribution", bound: { kind: "atMost", value: 0.4 } },
  ],
  open,
};

async function open(bench: Bench): Promise<Stage> {
  const origin = await startOrigin(bench);
  const image = await origin.addImage("library/held", BLOB_BYTES);
  const path = `/v2/library/held/blobs/${image.layerDigest}`;
  const root = emptyDir(bench, "files");
  mkdirSync(dirname(root + path), { recursive: true });
  writeFileSync(root + path, Buffer.concat([...pieces(image.layer, noiseBlock(), 1 << 20)]));
  return {
    contenders: [
      periplusCache(bench, origin.url),
      distribution(bench, origin.url),
      nginxFiles(bench, root),
      bare(bench, { kind: "files", root }),
    ],
    measure: async (running) => {
      await expectAnswer(running, path, { status: 200, bodyBytes: BLOB_BYTES });
      return blobLoad(bench, running, path);
    },
    close: () => origin.stop(),
  };
}

async function blobLoad(bench: Bench, running: Running, path: string): Promise<Sample> {
  const { server, origin } = running;
  if (server === undefined) throw new Error("a load of blobs needs a server");
  const spec = { origin, paths: [path], connections: CONNECTIONS, seconds: bench.seconds };
  const cost = await calmest(() => costOf(server, bench.serverCore, () => wrk(bench, spec)));
  const { bytes, durationUs } = cost.value;
  return {
    cpuSPerGB: (cost.cpuS * 1e9) / bytes,
    mbPerS: bytes / durationUs,
    ...trustSample(cost),
  };
}
