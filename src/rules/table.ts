import type { RegistryHost } from "../reference/host.ts";
import { describeMatch, type Rule } from "./rule.ts";

/** A rule that matched, and the part of the path that is left for the repository. */
interface RuleMatch {
  readonly rule: Rule;
  readonly rest: string;
}

/** What a rule is looked up by. `name` is the whole name in the path. */
export interface RuleQuery {
  readonly ns: RegistryHost | undefined;
  readonly host: RegistryHost | undefined;
  readonly name: string;
}

/** Two rules that the order (ns, Host, longest prefix, `*`) does not tell apart. */
export interface RuleOverlap {
  readonly first: Rule;
  readonly second: Rule;
}

/** An immutable table of rules whose look-up costs the same with ten rules and with ten thousand. */
export interface RuleTable {
  readonly rules: readonly Rule[];
  /** False when no rule reads `Host`, so that a hot path need not fetch it. */
  readonly readsHost: boolean;
  /** Which registry the rules under `*` answer for, when it is one. */
  readonly rest: Rule | undefined;
  /** True when some rule serves repositories of our own. */
  readonly hasStore: boolean;
  /** True when a rule is for this `Host`. */
  namesHost(host: RegistryHost): boolean;
  match(query: RuleQuery): RuleMatch | undefined;
}

type PrefixMap = Map<string, Rule>;
type HostMap = Map<string, PrefixMap>;

const none = "";

/** Builds the table whole; or the overlaps that make it undecidable. */
export function buildRuleTable(rules: readonly Rule[]): RuleTable | { readonly overlaps: readonly RuleOverlap[] } {
  const namespaces = new Map<string, HostMap>();
  const overlaps: RuleOverlap[] = [];
  for (const rule of rules) {
    for (const key of keysOf(rule)) {
      const prefixes = child(child(namespaces, key.ns), key.host);
      const first = prefixes.get(key.prefix);
      if (first !== undefined) {
        overlaps.push({ first, second: rule });
        break;
      }
      prefixes.set(key.prefix, rule);
    }
  }
  if (overlaps.length > 0) return { overlaps };
  return new HashedRuleTable(rules, namespaces);
}

/** An overlap in words, with both places. */
export function describeOverlap({ first, second }: RuleOverlap): string {
  return `rule "${describeMatch(second.match)}" (${second.id}) matches what "${describeMatch(first.match)}" (${first.id}) matches, and nothing says which comes first; remove one or add ns, host or prefix`;
}

class HashedRuleTable implements RuleTable {
  readonly rules: readonly Rule[];
  readonly readsHost: boolean;
  readonly rest: Rule | undefined;
  readonly hasStore: boolean;
  readonly #namespaces: ReadonlyMap<string, HostMap>;
  readonly #onlyRest: boolean;

  constructor(rules: readonly Rule[], namespaces: ReadonlyMap<string, HostMap>) {
    this.rules = rules;
    this.#namespaces = namespaces;
    this.rest = namespaces.get(none)?.get(none)?.get(none);
    this.hasStore = rules.some(({ serve }) => serve === "store");
    this.#onlyRest = rules.length === 1 && this.rest !== undefined;
    this.readsHost = [...namespaces.values()].some((hosts) => [...hosts.keys()].some((host) => host !== none));
  }

  namesHost(host: RegistryHost): boolean {
    for (const hosts of this.#namespaces.values()) if (hosts.has(host)) return true;
    return false;
  }

  match(query: RuleQuery): RuleMatch | undefined {
    if (this.#onlyRest && this.rest !== undefined) return { rule: this.rest, rest: query.name };
    if (query.ns !== undefined) {
      const found = inHosts(this.#namespaces.get(query.ns), query);
      if (found !== undefined) return found;
    }
    return inHosts(this.#namespaces.get(none), query);
  }
}

function inHosts(hosts: HostMap | undefined, query: RuleQuery): RuleMatch | undefined {
  if (hosts === undefined) return undefined;
  if (query.host !== undefined) {
    const found = longestPrefix(hosts.get(query.host), query.name);
    if (found !== undefined) return found;
  }
  return longestPrefix(hosts.get(none), query.name);
}

/** Tries the name's leading segments from the longest on; something must be left for the repository. */
function longestPrefix(prefixes: PrefixMap | undefined, name: string): RuleMatch | undefined {
  if (prefixes === undefined) return undefined;
  for (let slash = name.lastIndexOf("/"); slash > 0; slash = name.lastIndexOf("/", slash - 1)) {
    const rule = prefixes.get(name.slice(0, slash));
    if (rule !== undefined) return { rule, rest: name.slice(slash + 1) };
  }
  const whole = prefixes.get(none);
  return whole === undefined ? undefined : { rule: whole, rest: name };
}

interface RuleKey {
  readonly ns: string;
  readonly host: string;
  readonly prefix: string;
}

function keysOf({ match }: Rule): readonly RuleKey[] {
  switch (match.kind) {
    case "rest":
      return [{ ns: none, host: none, prefix: none }];
    case "name":
      return [
        { ns: match.name, host: none, prefix: none },
        { ns: none, host: match.name, prefix: none },
        { ns: none, host: none, prefix: match.name },
      ];
    case "parts":
      return [{ ns: match.ns ?? none, host: match.host ?? none, prefix: match.prefix ?? none }];
  }
}

function child<V>(map: Map<string, Map<string, V>>, key: string): Map<string, V> {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = new Map<string, V>();
  map.set(key, made);
  return made;
}
