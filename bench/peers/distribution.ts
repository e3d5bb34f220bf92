import type { KeyPair } from "../../test/real/certificates.ts";
import { type Bench, bothCores } from "../measure/stage.ts";
import type { Contender, Running } from "../row.ts";
import { contender, type Place } from "./launch.ts";
import { findRegistry } from "./tools.ts";

/** Distribution's registry as a pull-through cache of one upstream, its logs and traces off, its cache of descriptors on. */
export function distribution(bench: Bench, upstreamUrl: string): Contender {
  return registry(bench, { config: (place) => `${baseConfig(place)}proxy:\n  remoteurl: ${upstreamUrl}\n` });
}

/** Distribution's registry to push to. */
export function distributionStore(bench: Bench): Contender {
  return registry(bench, { config: baseConfig });
}

/** One of the two registries that programs copy between, on any core: it is the programs that are measured. */
export async function registryOfPrograms(bench: Bench, name: string, certificate?: KeyPair): Promise<Running> {
  const plan: RegistryPlan = {
    name,
    cores: bothCores(bench),
    scheme: certificate === undefined ? "http" : "https",
    config: (place) => `${baseConfig(place)}${certificate === undefined ? "" : tlsConfig(certificate)}`,
  };
  const running = await registry(bench, plan).start();
  if (running.kind === "missing") throw new Error(running.reason);
  return running;
}

interface RegistryPlan {
  readonly config: (place: Place) => string;
  readonly name?: string;
  readonly cores?: string;
  readonly scheme?: "http" | "https";
}

function registry(bench: Bench, { config, ...more }: RegistryPlan): Contender {
  return contender(bench, {
    name: "distribution",
    ...more,
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

/** What follows `baseConfig` to speak TLS. */
function tlsConfig({ certFile, keyFile }: KeyPair): string {
  return `  tls: { certificate: ${certFile}, key: ${keyFile} }\n`;
}
