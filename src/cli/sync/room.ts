import type { RegistryHost } from "../../reference/host.ts";
import type { SyncPlanInput } from "../../sync/plan-input.ts";

/** Blobs on their way at once, over all images. */
const blobsAtOnceMax = 6;
/** A question beside a stream; and beside a stream that waits for another one of the same registry. */
const placesMin = { oneWay: 2, bothWays: 3 } as const;

/** The requests at once that a registry is given: what the file says, and no fewer than one blob on its way takes. */
export function placesFor(input: SyncPlanInput, host: RegistryHost, concurrent: number): number {
  return Math.max(concurrent, isBothWays(input, host) ? placesMin.bothWays : placesMin.oneWay);
}

/** How many blobs may be on their way so that none waits for a place that another one holds. */
export function blobsAtOnceOf(input: SyncPlanInput): number {
  const rooms = [...input.registries].map(([host, { upstream }]) => {
    // As many as a client lets stream: three quarters of its places.
    const streams = Math.floor(placesFor(input, host, upstream.budget.concurrent) * 0.75);
    return isBothWays(input, host) ? Math.floor(streams / 2) : streams;
  });
  return Math.max(1, Math.min(blobsAtOnceMax, ...rooms));
}

/** Images are copied from and to it; backups are copied from where they are overwritten. */
function isBothWays({ entries }: SyncPlanInput, host: RegistryHost): boolean {
  const isTarget = entries.some(({ target }) => target.host === host);
  return (
    isTarget &&
    entries.some(({ source, target, backup }) => source.host === host || (target.host === host && backup !== undefined))
  );
}
