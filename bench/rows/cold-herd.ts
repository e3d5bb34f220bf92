import { pull, type PullResult } from "../measure/pull.ts";
import type { Bench } from "../measure/stage.ts";
import type { Image } from "../origin/content.ts";
import { type Origin, startOrigin } from "../origin/client.ts";
import { distribution } from "../peers/distribution.ts";
import { periplusCache } from "../peers/periplus.ts";
import { zot } from "../peers/zot.ts";
import type { Contender, Row, Running, Sample, Stage } from "../row.ts";

const BLOB_BYTES = 64 << 20;
const UPSTREAM_BYTES_PER_S = 40e6;
const CLIENTS = 100;
const DEADLINE_MS = 20_000;
const DIRECT_BYTES = 1 << 20;

/** An image that no one has pulled yet, wanted by all clients in the same moment: manifest by tag, then its layer. */
export const coldHerd: Row = {
  id: "cold-herd",
  title: "cold blob of 64 MiB, 100 clients, upstream paced to 40 MB/s in all",
  lifetime: "row",
  metrics: [
    { key: "upstreamGets", label: "upstream GETs", digits: 0 },
    { key: "firstByteP50Ms", label: "first byte p50 ms", digits: 1 },
    { key: "firstByteP99Ms", label: "first byte p99 ms", digits: 1 },
    { key: "blobFirstByteP99Ms", label: "of which blob p99 ms", digits: 1 },
    { key: "finished", label: "clients done in 20 s", digits: 0 },
    { key: "lastDoneMs", label: "last done ms", digits: 0 },
  ],
  targets: [
    { kind: "value", metric: "upstreamGets", of: "periplus", bound: { kind: "atMost", value: 1 } },
    { kind: "value", metric: "finished", of: "periplus", bound: { kind: "atLeast", value: CLIENTS } },
    {
      kind: "difference",
      metric: "firstByteP99Ms",
      of: "periplus",
      over: "direct",
      bound: { kind: "atMost", value: 50 },
    },
  ],
  open,
};

/** One client's pull: the manifest, then the blob; `startedMs` is when the blob was asked for. */
interface ClientPull {
  readonly startedMs: number;
  readonly blob: PullResult;
}

async function open(bench: Bench): Promise<Stage> {
  const origin = await startOrigin(bench, UPSTREAM_BYTES_PER_S);
  const direct: Contender = {
    name: "direct",
    role: "direct",
    start: async () => ({ kind: "running", origin: origin.url }),
  };
  return {
    contenders: [periplusCache(bench, origin.url), distribution(bench, origin.url), zot(bench, origin.url), direct],
    measure: async (running, contender) => {
      const image = await origin.addImage("library/cold", BLOB_BYTES);
      return contender.role === "direct" ? alone(running, image) : herd(running, image, origin);
    },
    close: () => origin.stop(),
  };
}

async function herd(running: Running, image: Image, origin: Origin): Promise<Sample> {
  const pulls = await Promise.all(Array.from({ length: CLIENTS }, () => pullImage(running, image, {})));
  return { ...times(pulls), upstreamGets: await origin.gets(image.layerDigest) };
}

/** As many pulls one after another, each with the whole link to itself, and only as far as their first bytes. */
async function alone(running: Running, image: Image): Promise<Sample> {
  const pulls: ClientPull[] = [];
  for (let i = 0; i < CLIENTS; i += 1) pulls.push(await pullImage(running, image, { giveUpAfterBytes: DIRECT_BYTES }));
  const { firstByteP50Ms, firstByteP99Ms, blobFirstByteP99Ms } = times(pulls);
  return { firstByteP50Ms, firstByteP99Ms, blobFirstByteP99Ms };
}

async function pullImage(
  running: Running,
  image: Image,
  limits: { readonly giveUpAfterBytes?: number },
): Promise<ClientPull> {
  const base = `${running.origin}/v2/${image.repository}`;
  const manifest = await pull({ url: `${base}/manifests/${image.tag}`, deadlineMs: DEADLINE_MS });
  const deadlineMs = Math.max(1, DEADLINE_MS - manifest.totalMs);
  const blob = await pull({ url: `${base}/blobs/${image.layerDigest}`, deadlineMs, ...limits });
  if (blob.status !== 200 && blob.status !== 0) throw new Error(`${base}: the blob was answered with ${blob.status}`);
  return { startedMs: manifest.totalMs, blob };
}

function times(pulls: readonly ClientPull[]) {
  const firstBytesMs = pulls.map(({ startedMs, blob }) => startedMs + blob.firstByteMs);
  return {
    firstByteP50Ms: quantile(firstBytesMs, 0.5),
    firstByteP99Ms: quantile(firstBytesMs, 0.99),
    blobFirstByteP99Ms: quantile(
      pulls.map(({ blob }) => blob.firstByteMs),
      0.99,
    ),
    finished: pulls.filter(({ blob }) => blob.complete).length,
    lastDoneMs: Math.max(...pulls.map(({ startedMs, blob }) => startedMs + blob.totalMs)),
  };
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * share) - 1] ?? 0;
}
