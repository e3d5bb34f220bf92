import type { Bench } from "../measure/stage.ts";
import type { Contender } from "../row.ts";
import { contender, type Place } from "./launch.ts";
import { findRegistry } from "./tools.ts";

/** Distribution's registry as a pull-through cache of one upstream, its logs and traces off, its cache of descriptors on. */
export function distribution(bench: Bench, upstreamUrl: string): Contender {
  return registry(bench, (place) => `${baseConfig(place)}proxy:\n  remoteurl: ${upstreamUrl}\n`);
}

/** Distribution's registry to push to; a row that has several names them. */
export function distributionStore(bench: Bench, name?: string): Contender {
  return registry(bench, (place) => baseConfig(place), name);
}

function registry(bench: Bench, config: (place: Place) => string, name = "distribution"): Contender {
  return contender(bench, {
    name,
    role: "peer",
    find: findRegistry,
    argv: (program, place) => [program, "serve", place.write("config.yml", config(place))],
    env: () => ({ OTEL_TRACES_EXPORTER: "none", OTEL_METRICS_EXPORTER: "none" }),
    readyPath: "/v2/",
  });
}

function baseConfig(place: Place): string {
  return `version: 0.1
log:
  level: error
  accesslog: { disabled: true }
storage:
  filesystem: { rootdirectory: ${place.dir}/data }
  cache: { blobdescriptor: inmemory }
http:
  addr: 127.0.0.1:${place.port}
`;
}
