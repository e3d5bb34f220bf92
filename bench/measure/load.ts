import type { Metric, Sample } from "../row.ts";
import { coreCpuS } from "./proc.ts";
import type { Server } from "./server.ts";

/**
 * What a stretch of load cost: the server's CPU, the wall time, and the shares (0 to 1) of that time in which the server
 * itself and in which others had its core. A server far from busy was held up by its load, not by itself.
 */
export interface Cost<T> {
  readonly value: T;
  readonly cpuS: number;
  readonly wallS: number;
  readonly busyShare: number;
  readonly foreignShare: number;
}

const CALM_SHARE = 0.05;
const MAX_TRIES = 3;

/** Runs `load` and reads what it cost the server on its core. */
export async function costOf<T>(server: Server, core: number, load: () => Promise<T>): Promise<Cost<T>> {
  const before = { cpuS: server.cpuS(), coreS: coreCpuS(core), atMs: performance.now() };
  const value = await load();
  const cpuS = server.cpuS() - before.cpuS;
  const wallS = (performance.now() - before.atMs) / 1000;
  const foreignS = Math.max(0, coreCpuS(core) - before.coreS - cpuS);
  return { value, cpuS, wallS, busyShare: cpuS / wallS, foreignShare: foreignS / wallS };
}

/** An attempt, made again a few times while others use the core; the calmest one counts. */
export async function calmest<T>(attempt: () => Promise<Cost<T>>): Promise<Cost<T>> {
  let calmestYet = await attempt();
  for (let tries = 1; tries < MAX_TRIES && calmestYet.foreignShare > CALM_SHARE; tries += 1) {
    const next = await attempt();
    if (next.foreignShare < calmestYet.foreignShare) calmestYet = next;
  }
  return calmestYet;
}

/** The columns that say how far a figure can be trusted. */
export const TRUST_METRICS: readonly Metric[] = [
  { key: "busyPercent", label: "busy %", digits: 0 },
  { key: "foreignPercent", label: "others %", digits: 0 },
];

/** The values of `TRUST_METRICS`. */
export function trustSample(cost: Cost<unknown>): Sample {
  return { busyPercent: cost.busyShare * 100, foreignPercent: cost.foreignShare * 100 };
}
