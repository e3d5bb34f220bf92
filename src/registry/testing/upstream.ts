import type { Upstream } from "../../config/settings.ts";
import { parseHost } from "../../reference/host.ts";

/** An upstream at a URL on loopback, with nothing special about it but what is given. */
export function upstreamAt(url: string, changes: Partial<Upstream> = {}): Upstream {
  const host = parseHost("registry.test");
  if (host === undefined) throw new Error("registry.test is a host");
  return {
    host,
    url,
    path: "",
    cloud: undefined,
    region: undefined,
    credentials: { kind: "none" },
    isPublic: false,
    ca: undefined,
    insecure: false,
    proxy: undefined,
    budget: { requests: undefined, perMs: 1000, concurrent: 64 },
    redirectHosts: [],
    tokenHosts: [],
    mayBePrivate: true,
    ...changes,
  };
}
