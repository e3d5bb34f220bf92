import { join } from "node:path";
import { type Bench, emptyDir } from "../measure/stage.ts";
import { wrk } from "../measure/wrk.ts";
import { type Origin, startOrigin } from "../origin/client.ts";
import { bare } from "../peers/bare.ts";
import { periplusCache, prefixRules } from "../peers/periplus.ts";
import type { Contender, Row, Running, Sample, Stage } from "../row.ts";
import { PATH_COUNT } from "./sites.ts";

const FEW = 10;
const MANY_BLOBS = 100_000;
const MANY_RULES = 10_000;
const BLOB_BYTES = 200;
const FILL_STREAMS = 50;
const REPOSITORY = "library/scale";

/** A store of 100,000 blobs under 10,000 rules beside one of ten and ten: the time to start, and latency one at a time. */
export const scale: Row = {
  id: "scale",
  title: "100,000 blobs, 10,000 rules",
  lifetime: "round",
  metrics: [
    { key: "startMs", label: "start ms", digits: 0 },
    { key: "manifestP50Us", label: "manifest p50 µs", digits: 0 },
    { key: "manifestP99Us", label: "manifest p99 µs", digits: 0 },
    { key: "blobP50Us", label: "blob p50 µs", digits: 0 },
    { key: "blobP99Us", label: "blob p99 µs", digits: 0 },
  ],
  targets: [
    { kind: "value", metric: "startMs", of: "periplus, many", bound: { kind: "atMost", value: 2000 } },
    ratioToFew("manifestP50Us"),
    ratioToFew("blobP50Us"),
  ],
  open,
};

function ratioToFew(metric: string) {
  const bound = { kind: "atMost", value: 1.15 } as const;
  return { kind: "ratio", metric, of: "periplus, many", over: "periplus, few", bound } as const;
}

interface Store {
  readonly contender: Contender;
  readonly blobPaths: readonly string[];
}

interface Size {
  readonly name: string;
  readonly blobs: number;
  readonly rules: number;
}

async function open(bench: Bench): Promise<Stage> {
  const origin = await startOrigin(bench);
  const image = await origin.addImage(REPOSITORY, BLOB_BYTES);
  const manifestPath = `/v2/${REPOSITORY}/manifests/${image.manifestDigest}`;
  const few = await store(bench, origin, { name: "periplus, few", blobs: FEW, rules: FEW });
  const many = await store(bench, origin, { name: "periplus, many", blobs: MANY_BLOBS, rules: MANY_RULES });
  const program = bare(bench, { kind: "redirect", to: origin.url });
  return {
    contenders: [few.contender, many.contender, program],
    measure: async (running, contender) => {
      const startMs = running.server?.startMs ?? 0;
      if (contender === program) return { startMs };
      const { blobPaths } = contender === few.contender ? few : many;
      return { startMs, ...(await latencies(bench, running, { manifestPath, blobPaths })) };
    },
    close: () => origin.stop(),
  };
}

/** A contender whose store is filled through the front door before its first start that counts. */
async function store(bench: Bench, origin: Origin, size: Size): Promise<Store> {
  const periplus = periplusCache(bench, origin.url, {
    name: size.name,
    keptDir: emptyDir(bench, join("stores", size.name.replaceAll(/\W+/g, "-"))),
    extraRules: prefixRules(size.rules),
  });
  const digests = await origin.addBlobs(size.blobs, BLOB_BYTES);
  const paths = digests.map((digest) => `/v2/${REPOSITORY}/blobs/${digest}`);
  let filled = false;
  const start = async (): ReturnType<Contender["start"]> => {
    if (!filled) await fill(bench, periplus, paths);
    filled = true;
    return periplus.start();
  };
  return { contender: { ...periplus, start }, blobPaths: paths.slice(0, PATH_COUNT) };
}

async function fill(bench: Bench, periplus: Contender, paths: readonly string[]): Promise<void> {
  const running = await periplus.start();
  if (running.kind === "missing") return;
  bench.say(`  filling ${periplus.name}: ${paths.length} blobs`);
  try {
    await pullEach(running, paths);
  } finally {
    await running.server?.stop();
  }
}

async function pullEach(running: Running, paths: readonly string[]): Promise<void> {
  const left = [...paths];
  const stream = async (): Promise<void> => {
    for (let path = left.pop(); path !== undefined; path = left.pop()) {
      const response = await fetch(running.origin + path);
      await response.arrayBuffer();
      if (response.status !== 200) throw new Error(`${path}: ${response.status}`);
    }
  };
  await Promise.all(Array.from({ length: FILL_STREAMS }, stream));
}

async function latencies(
  bench: Bench,
  running: Running,
  paths: { readonly manifestPath: string; readonly blobPaths: readonly string[] },
): Promise<Sample> {
  const spec = { origin: running.origin, connections: 1, seconds: bench.seconds };
  const manifest = await wrk(bench, { ...spec, paths: [paths.manifestPath] });
  const blob = await wrk(bench, { ...spec, paths: paths.blobPaths });
  return {
    manifestP50Us: manifest.p50Us,
    manifestP99Us: manifest.p99Us,
    blobP50Us: blob.p50Us,
    blobP99Us: blob.p99Us,
  };
}
