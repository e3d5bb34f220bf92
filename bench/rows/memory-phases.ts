import { pull } from "../measure/pull.ts";
import type { Server } from "../measure/server.ts";
import type { Bench } from "../measure/stage.ts";
import { wrk } from "../measure/wrk.ts";
import type { Origin } from "../origin/client.ts";
import type { Running, Sample } from "../row.ts";
import { CONNECTIONS } from "./sites.ts";

const BLOB_BYTES = 2 ** 30;
const SLOW_CLIENTS = 200;
const SLOW_BYTES_PER_S = 256 * 1024;
const SLOW_MS = 15_000;
const SETTLE_MS = 2000;
const WARM_REQUESTS = 1e5;
const REQUESTS = 1e6;
const MB = 1e6;

/** What a phase of the memory row is about: one server, and the upstream that it may have. */
interface Subject {
  readonly bench: Bench;
  readonly running: Running;
  readonly server: Server;
  readonly origin: Origin;
}

/** One thing that is done to a server while its memory is watched. */
export type Phase = (subject: Subject) => Promise<Sample>;

/** Resident memory of a server that has answered nothing but the question whether it is up. */
export const idle: Phase = async ({ server }) => {
  await Bun.sleep(SETTLE_MS);
  return { idleMB: server.residentBytes() / MB };
};

/** Peak while all slow clients read one blob of 1 GiB that no one has pulled yet. */
export const slowCold: Phase = async (subject) => {
  const { layerDigest } = await subject.origin.addImage("library/cold", BLOB_BYTES);
  return { slowColdMB: await slowPeakMB(subject, `/v2/library/cold/blobs/${layerDigest}`) };
};

/** Peak while all slow clients read one blob of 1 GiB that is held. */
export const slowHeld: Phase = async (subject) => {
  const { layerDigest } = await subject.origin.addImage("library/held", BLOB_BYTES);
  const path = `/v2/library/held/blobs/${layerDigest}`;
  await pull({ url: subject.running.origin + path, deadlineMs: 60_000 });
  return { slowHeldMB: await slowPeakMB(subject, path) };
};

/** `slowHeld` for a server of files, which has the blob at `path` without pulling it. */
export function slowFile(path: string): Phase {
  return async (subject) => ({ slowHeldMB: await slowPeakMB(subject, path) });
}

/** Resident memory after 10^6 requests for a manifest, and how much of it came after the first 10^5. */
export function manyRequests(pathOf: (origin: Origin) => Promise<string>): Phase {
  return async (subject) => {
    const path = await pathOf(subject.origin);
    await requests(subject, path, WARM_REQUESTS);
    const warmBytes = subject.server.residentBytes();
    await requests(subject, path, REQUESTS - WARM_REQUESTS);
    const bytes = subject.server.residentBytes();
    return { afterMillionMB: bytes / MB, grownMB: (bytes - warmBytes) / MB };
  };
}

async function slowPeakMB({ running, server }: Subject, path: string): Promise<number> {
  await Bun.sleep(SETTLE_MS);
  server.resetPeak();
  const spec = { url: running.origin + path, deadlineMs: SLOW_MS, bytesPerSecond: SLOW_BYTES_PER_S };
  const pulls = await Promise.all(Array.from({ length: SLOW_CLIENTS }, () => pull(spec)));
  const served = pulls.filter((result) => result.status === 200 && result.bodyBytes > 0).length;
  if (served < SLOW_CLIENTS)
    throw new Error(`${server.name}: only ${served} of ${SLOW_CLIENTS} slow clients got bytes`);
  return server.peakBytes() / MB;
}

async function requests({ bench, running }: Subject, path: string, count: number): Promise<void> {
  for (let left = count; left > 0; ) {
    const spec = { origin: running.origin, paths: [path], connections: CONNECTIONS, seconds: bench.seconds };
    left -= (await wrk(bench, spec)).requests;
  }
}
