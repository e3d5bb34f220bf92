import type { Bench } from "../measure/stage.ts";
import type { Contender } from "../row.ts";
import { contender, type Place } from "./launch.ts";
import { findTool } from "./tools.ts";

/** zot with on-demand sync from one upstream. */
export function zot(bench: Bench, upstreamUrl: string): Contender {
  const registry = { urls: [upstreamUrl], onDemand: true, tlsVerify: false, content: [{ prefix: "**" }] };
  return launched(bench, { extensions: { sync: { enable: true, registries: [registry] } } });
}

/** zot to push to, as it comes. */
export function zotStore(bench: Bench): Contender {
  return launched(bench, {});
}

function launched(bench: Bench, more: object): Contender {
  return contender(bench, {
    name: "zot",
    role: "peer",
    find: () => findTool("zot", "PERIPLUS_BENCH_ZOT", "set PERIPLUS_BENCH_ZOT to one built with the sync extension"),
    argv: (program, place) => [program, "serve", place.write("config.json", config(place, more))],
    readyPath: "/v2/",
  });
}

function config(place: Place, more: object): string {
  return JSON.stringify({
    distSpecVersion: "1.1.1",
    storage: { rootDirectory: `${place.dir}/data`, dedupe: false, gc: false },
    http: { address: "127.0.0.1", port: String(place.port) },
    log: { level: "error" },
    ...more,
  });
}
