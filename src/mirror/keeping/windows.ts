import type { RegistryHost } from "../../reference/host.ts";
import { impliedUpstream } from "../../rules/resolve.ts";
import type { Rule } from "../../rules/rule.ts";

/** What no rule speaks of any more is kept a week and a day, as by a rule that says nothing. */
const defaultWindowMs = 8 * 24 * 3_600_000;

/**
 * How long after its last check a tag or a list of an upstream may still be served, in milliseconds: the longest that any
 * rule which can answer for the upstream allows. Later it is only good for being asked for again.
 */
export function staleWindows(rules: readonly Rule[]): (upstream: RegistryHost) => number {
  const byUpstream = new Map<RegistryHost | undefined, number>();
  for (const rule of rules) {
    if (rule.serve !== "cache") continue;
    const upstream = rule.upstream ?? impliedUpstream(rule);
    const windowMs = rule.freshForMs + rule.serveStaleForMs;
    byUpstream.set(upstream, Math.max(windowMs, byUpstream.get(upstream) ?? 0));
  }
  // Under `*` without an upstream, and under prefixes, the name says which upstream it is.
  const anyMs = byUpstream.get(undefined);
  return (upstream) => {
    const namedMs = byUpstream.get(upstream) ?? anyMs;
    return namedMs === undefined ? defaultWindowMs : Math.max(namedMs, anyMs ?? 0);
  };
}
