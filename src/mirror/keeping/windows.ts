import type { RegistryHost } from "../../reference/host.ts";
import { type Naming, type Registries, resolveName } from "../../rules/resolve.ts";
import type { Rule } from "../../rules/rule.ts";
import type { Place } from "../../store/content-index.ts";

/** What no rule speaks of any more is kept a week and a day, as by a rule that says nothing. */
const unservedMs = 8 * 24 * 3_600_000;

/**
 * How long after its last check a tag or a list of a place may still be served, in milliseconds: the longest that any rule
 * which answers for the place allows. Later it is only good for being asked for again.
 */
export function staleWindows(registries: Registries): (place: Place) => number {
  const named = new Map<RegistryHost, number>();
  for (const rule of registries.table.rules) {
    if (rule.upstream !== undefined) named.set(rule.upstream, Math.max(windowOf(rule), named.get(rule.upstream) ?? 0));
  }
  return (place) => {
    const windowsMs = namingsOf(place).map((naming) => {
      const found = resolveName(registries, naming);
      const isIt = found.kind === "resolved" && found.upstream === place.upstream;
      return isIt && found.repository === place.repository ? windowOf(found.rule) : 0;
    });
    return Math.max(...windowsMs, named.get(place.upstream) ?? 0) || unservedMs;
  };
}

/** The ways in which a place is asked for by its own name. */
function namingsOf({ upstream, repository }: Place): readonly Naming[] {
  return [
    { name: `${upstream}/${repository}`, ns: undefined, host: undefined },
    { name: repository, ns: upstream, host: undefined },
    { name: repository, ns: undefined, host: upstream },
  ];
}

function windowOf({ serve, freshForMs, serveStaleForMs }: Rule): number {
  return serve === "cache" ? freshForMs + serveStaleForMs : 0;
}
