import type { ConfigFile } from "./file.ts";

/** Where a server listens when nobody says where: not reachable from other machines. */
export const defaultListen = "127.0.0.1:5000";

/** The storage folder when a rule caches or stores and nobody says where, relative to the working directory. */
export const defaultStorage = "./periplus-data";

/** The socket for commands, in the storage folder. */
export const adminSocketName = "admin.sock";

/** Who may pull by cache rules: loopback and private addresses (RFC 1122, 3.2.1.3; RFC 1918; RFC 4291, 2.5.3; RFC 4193). */
export const defaultClients: readonly string[] = [
  "127.0.0.0/8",
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "::1/128",
  "fc00::/7",
];

/** 24 h: how long a tag is served before its upstream is asked again. */
export const defaultFreshForMs: number = 24 * 3_600_000;

/** 7 days: how long a tag is served while its upstream does not answer. */
export const defaultServeStaleForMs: number = 7 * 24 * 3_600_000;

/** Requests under way at one upstream: what a cold start of a hundred nodes makes, and few enough for any registry. */
export const defaultConcurrent = 128;

/** The time a budget is counted over where it has no `requests` to count. */
export const defaultBudgetPerMs: number = 6 * 3_600_000;

/** What is in force without a file: a cache for the well-known registries under their own names. */
export const configWithoutFile: ConfigFile = {
  wellKnown: true,
  rules: [
    { id: "k8s.gcr.io", match: "k8s.gcr.io", upstream: "registry.k8s.io", serve: "cache" },
    { id: "default", match: "*", serve: "cache" },
  ],
};
