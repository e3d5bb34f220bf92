import { resolveTarget } from "../../net/egress.ts";
import type { Egress } from "../transport.ts";

/**
 * The real guard for addresses, and names of tests' own: each is at 127.0.0.1, and counts as public although that is loopback.
 * A port in the URL is the port connected to; without one, the port that `ports` has for the name.
 */
export function testEgress(ports: Readonly<Record<string, number>> = {}): Egress {
  return async (url, policy, signal) => {
    const port = ports[url.hostname];
    if (port === undefined) return await resolveTarget(url, policy, { lookup: () => Promise.resolve([]), signal });
    if (url.protocol === "http:" && !policy.allowHttp) return { kind: "refused", reason: "not https" };
    return { kind: "allowed", origin: url.origin, addresses: ["127.0.0.1"], port, serverName: url.hostname };
  };
}
