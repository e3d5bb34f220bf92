import { readFile } from "node:fs/promises";
import type { Settings } from "../../config/settings.ts";
import { Failure } from "../../errors/failure.ts";
import { loadCloudRanges } from "../../net/cloud-load.ts";
import type { CloudRanges } from "../../net/cloud-ranges.ts";
import { systemEgress } from "../../registry/client.ts";
import { systemClock } from "../../registry/clock.ts";
import { label, type Metrics } from "../../server/metrics.ts";
import type { SteerEvents } from "../../steer/events.ts";
import { type Existence, ProbedExistence } from "../../steer/existence.ts";
import { createProbe } from "../../steer/probe.ts";
import { createSteer, type PlaceLookup, type Steer } from "../../steer/steer.ts";

/** Makes the steer of each generation of settings. What is known of the buckets outlives a reload; ranges are read again. */
export class Steering {
  readonly #existence: Existence;
  #ranges: CloudRanges | undefined;

  constructor(metrics: Metrics, say: (message: string) => void) {
    this.#existence = new ProbedExistence({
      probe: createProbe({ fetch, egress: systemEgress, userAgent: "periplus" }),
      clock: systemClock,
      random: Math.random,
      events: steerEvents(metrics, say),
    });
  }

  /** Throws `CONFIG_INVALID` when the file of cloud ranges cannot be used. */
  async of(settings: Settings): Promise<Steer> {
    const { cloudRanges } = settings.redirect;
    const isNeeded = settings.table.rules.some((rule) => rule.serve === "redirect");
    // A cache that redirects nothing spares itself the memory of the ranges.
    if (isNeeded) this.#ranges = cloudRanges === undefined ? await compiled() : await this.#read(cloudRanges);
    return createSteer({ settings, places: this.#ranges ?? noPlaces, existence: this.#existence, clock: systemClock });
  }

  async #read(path: string): Promise<CloudRanges> {
    const bytes = await readFile(path).catch((error: unknown) => {
      throw new Failure({ code: "CONFIG_INVALID", message: `cannot read the cloud ranges ${path}`, cause: error });
    });
    const loaded = loadCloudRanges(bytes, this.#ranges);
    if (loaded instanceof Failure) {
      throw new Failure({ code: "CONFIG_INVALID", message: `${path}: ${loaded.message}`, cause: loaded });
    }
    return loaded;
  }
}

const noPlaces: PlaceLookup = { lookup: () => undefined };

async function compiled(): Promise<CloudRanges> {
  const { compiledCloudRanges } = await import("../../net/cloud-snapshot.ts");
  return compiledCloudRanges();
}

function steerEvents(metrics: Metrics, say: (message: string) => void): SteerEvents {
  return {
    probed: (holder, presence) =>
      metrics.add("periplus_probes_total", `${label("holder", holder)},presence="${presence}"`, 1),
    skipped: (holder, reason) =>
      metrics.add("periplus_probes_skipped_total", `${label("holder", holder)},reason="${reason}"`, 1),
    breaker: (holder, state) =>
      say(`${holder}: ${state === "open" ? "fails and is left alone for a while" : "answers again"}`),
  };
}
