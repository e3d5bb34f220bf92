import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Bench } from "../measure/stage.ts";
import type { Contender } from "../row.ts";
import { contender, type Place } from "./launch.ts";
import type { Tool } from "./tools.ts";

const PROGRAM = join(import.meta.dir, "..", "..", "bin", "periplus");

/** How one Periplus differs from another in a row. */
export interface PeriplusOptions {
  /** The name in the table; targets are about the plain "periplus". */
  readonly name?: string;
  readonly log?: "off" | "on";
  readonly keptDir?: string;
}

/** Where Periplus as a redirector sends its clients. */
export interface RedirectSites {
  readonly upstreamUrl: string;
  readonly bucketUrl: string;
}

/** Periplus as a public redirector with one bucket that is the default. */
export function periplusRedirect(bench: Bench, sites: RedirectSites, options: PeriplusOptions = {}): Contender {
  return periplus(bench, options, ({ port }) => redirectConfig(port, sites));
}

/** Periplus as a cache of one upstream, which is served under bare names; `extraRules` are put before the last rule. */
export function periplusCache(
  bench: Bench,
  upstreamUrl: string,
  options: PeriplusOptions & { readonly extraRules?: readonly string[] } = {},
): Contender {
  return periplus(bench, options, (place) => cacheConfig(place, upstreamUrl, options.extraRules ?? []));
}

/** Periplus as a registry to push to. */
export function periplusStore(bench: Bench): Contender {
  return periplus(
    bench,
    {},
    (place) => `listen: 127.0.0.1:${place.port}
storage: ${place.dir}/data
rules:
  - { match: "*", serve: store }
`,
  );
}

/** The configuration of `periplusRedirect`. */
export function redirectConfig(port: number, { upstreamUrl, bucketUrl }: RedirectSites): string {
  return `listen: 127.0.0.1:${port}
trustedProxies: [127.0.0.0/8]
upstreams:
  registry.k8s.io: { url: "${upstreamUrl}", path: k8s-artifacts-prod/images, cloud: gcp, region: us-central1 }
rules:
  - { match: "*", upstream: registry.k8s.io, serve: redirect }
redirect:
  buckets:
    - { name: default, url: "${bucketUrl}/containers/images", default: true }
`;
}

/** The configuration of `periplusCache`. */
export function cacheConfig(
  place: Pick<Place, "port" | "dir">,
  upstreamUrl: string,
  extraRules: readonly string[],
): string {
  const rules = [...extraRules, '{ match: "*", upstream: registry.k8s.io, serve: cache }'];
  return `listen: 127.0.0.1:${place.port}
storage: ${place.dir}/data
upstreams:
  registry.k8s.io: { url: "${upstreamUrl}" }
rules:
${rules.map((rule) => `  - ${rule}`).join("\n")}
`;
}

/** So many rules, each for a prefix of its own that no row asks for. */
export function prefixRules(count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => {
    const prefix = `team-${Math.floor(i / 100)}/app-${i % 100}`;
    return `{ match: { prefix: ${prefix} }, upstream: registry.k8s.io, serve: cache }`;
  });
}

function periplus(bench: Bench, options: PeriplusOptions, config: (place: Place) => string): Contender {
  return contender(bench, {
    name: options.name ?? "periplus",
    role: "ours",
    find: findPeriplus,
    argv: (program, place) => [
      program,
      "serve",
      "--config",
      place.write("periplus.yaml", config(place)),
      ...(options.log === "on" ? [] : ["--log", "off"]),
    ],
    readyPath: "/readyz",
    ...(options.keptDir === undefined ? {} : { keptDir: options.keptDir }),
  });
}

function findPeriplus(): Tool {
  return existsSync(PROGRAM)
    ? { kind: "found", path: PROGRAM }
    : { kind: "missing", reason: "bin/periplus is not there" };
}
