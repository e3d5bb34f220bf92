import type { RegistryHost } from "../reference/host.ts";
import { defaultBudgetPerMs } from "./defaults.ts";
import { type Environment, proxyFromEnvironment } from "./environment.ts";
import type { Upstream } from "./settings.ts";
import { wellKnownRegistries } from "./well-known.ts";

/** How a registry is reached that a person named, where no configuration says more. */
export interface NamedReach {
  /** Scheme and authority, where it is not reached by https under its own name. */
  readonly url: string | undefined;
  /** Plain HTTP, or a certificate that is not checked. */
  readonly isInsecure: boolean;
  readonly env: Environment;
}

/** Requests under way at one registry: what one machine can make use of. */
const concurrent = 16;

/** Where a registry is reached by https when nobody says where. */
export function defaultUrl(host: RegistryHost): string {
  return wellKnownRegistries.get(host)?.url ?? `https://${host}`;
}

/**
 * The upstream of a registry that a person named: with docker's logins, at a private address where it has one, as the person meant
 * just that host.
 */
export function namedUpstream(host: RegistryHost, { url, isInsecure, env }: NamedReach): Upstream {
  const place = url ?? defaultUrl(host);
  return {
    host,
    url: place,
    path: "",
    cloud: undefined,
    region: undefined,
    credentials: { kind: "docker-config" },
    isPublic: false,
    ca: undefined,
    insecure: isInsecure,
    proxy: proxyFromEnvironment(env, new URL(place)),
    budget: { requests: undefined, perMs: defaultBudgetPerMs, concurrent },
    redirectHosts: [],
    tokenHosts: wellKnownRegistries.get(host)?.tokenHosts ?? [],
    mayBePrivate: true,
  };
}

/** The upstream of a configuration file for a copy, whose pushes wait for their own pulls and so need places for both. */
export function roomy(upstream: Upstream): Upstream {
  const { budget } = upstream;
  return { ...upstream, budget: { ...budget, concurrent: Math.max(budget.concurrent, concurrent) } };
}
