import type { Bench } from "../measure/stage.ts";
import type { Contender } from "../row.ts";
import { contender } from "./launch.ts";
import { findTool } from "./tools.ts";

/** The redirector of registry.k8s.io. `bucketUrl` is where it looks for blobs for clients of no known cloud. */
export function archeio(bench: Bench, upstreamUrl: string, bucketUrl: string): Contender {
  return contender(bench, {
    name: "archeio",
    role: "peer",
    find: () => findTool("archeio", "PERIPLUS_BENCH_ARCHEIO", "set PERIPLUS_BENCH_ARCHEIO to a built one"),
    argv: (program) => [program],
    env: (place) => ({
      PORT: String(place.port),
      UPSTREAM_REGISTRY_ENDPOINT: upstreamUrl,
      UPSTREAM_REGISTRY_PATH: "k8s-artifacts-prod/images",
      DEFAULT_AWS_BASE_URL: bucketUrl,
    }),
    readyPath: "/v2/",
  });
}
