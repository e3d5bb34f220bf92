import type { Bench } from "../measure/stage.ts";
import type { Contender } from "../row.ts";
import { contender, type Place } from "./launch.ts";
import { findTool } from "./tools.ts";

/** zot with on-demand sync from one upstream. */
export function zot(bench: Bench, upstreamUrl: string): Contender {
  return contender(bench, {
    name: "zot",
    role: "peer",
    find: () => findTool("zot", "PERIPLUS_BENCH_ZOT", "set PERIPLUS_BENCH_ZOT to one built with the sync extension"),
    argv: (program, place) => [program, "serve", place.write("config.json", config(place, upstreamUrl))],
    readyPath: "/v2/",
  });
}

function config(place: Place, upstreamUrl: string): string {
  const registry = { urls: [upstreamUrl], onDemand: true, tlsVerify: false, content: [{ prefix: "**" }] };
  return JSON.stringify({
    distSpecVersion: "1.1.1",
    storage: { rootDirectory: `${place.dir}/data`, dedupe: false, gc: false },
    http: { address: "127.0.0.1", port: String(place.port) },
    log: { level: "error" },
    extensions: { sync: { enable: true, registries: [registry] } },
  });
}
