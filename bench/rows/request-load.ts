import { calmest, costOf, TRUST_METRICS, trustSample } from "../measure/load.ts";
import type { Bench } from "../measure/stage.ts";
import { wrk, type WrkSpec } from "../measure/wrk.ts";
import type { Metric, Running, Sample } from "../row.ts";

/** The columns of a row of small requests. */
export const REQUEST_METRICS: readonly Metric[] = [
  { key: "requestsPerS", label: "requests/s", digits: 0 },
  { key: "cpuUs", label: "CPU µs/request", digits: 2 },
  { key: "p50Us", label: "p50 µs", digits: 0 },
  { key: "p99Us", label: "p99 µs", digits: 0 },
  ...TRUST_METRICS,
];

/** Small requests as fast as they are answered: how many, and what each cost the server. */
export async function requestLoad(
  bench: Bench,
  running: Running,
  spec: Pick<WrkSpec, "paths" | "connections" | "headers">,
): Promise<Sample> {
  const { server, origin } = running;
  if (server === undefined) throw new Error("a load of requests needs a server");
  const cost = await calmest(() =>
    costOf(server, bench.serverCore, () => wrk(bench, { ...spec, origin, seconds: bench.seconds })),
  );
  const { requests, durationUs, p50Us, p99Us } = cost.value;
  return {
    requestsPerS: (requests * 1e6) / durationUs,
    cpuUs: (cost.cpuS * 1e6) / requests,
    p50Us,
    p99Us,
    ...trustSample(cost),
  };
}
