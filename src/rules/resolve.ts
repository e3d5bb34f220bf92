import { dockerHub, looksLikeHost, ownRegistry, parseHost, type RegistryHost } from "../reference/host.ts";
import { canonicalRepository } from "../reference/reference.ts";
import { parseRepository, type Repository } from "../reference/repository.ts";
import type { Rule } from "./rule.ts";
import type { RuleTable } from "./table.ts";

/** How a request or a reference names a repository: the path's name, and the two ways to say the registry apart from it. */
export interface Naming {
  readonly name: string;
  /** `?ns=` as it arrived. OCI distribution spec v1.1, "Registry Proxying". */
  readonly ns: string | undefined;
  /** The `Host` header as it arrived. */
  readonly host: string | undefined;
}

/** The one (upstream, repository) that every spelling of a name comes down to, and the rule that says so. */
export interface Resolved {
  readonly kind: "resolved";
  readonly rule: Rule;
  readonly upstream: RegistryHost;
  readonly repository: Repository;
}

/** Why a name is served by nothing here; always answered as 404 or 400, never dialled. */
export interface Unresolved {
  readonly kind: "unresolved";
  readonly code: "NAME_UNKNOWN" | "NAME_INVALID";
  readonly message: string;
}

/** What names are resolved against: the rules, and the registries that may be named at all. */
export interface Registries {
  readonly table: RuleTable;
  knows(host: RegistryHost): boolean;
}

/**
 * Resolves a name by the rules. Our own repositories are called as they are in the path, without a `match` that is a name
 * of this registry. The world is closed: a host in `?ns=`, `Host` or the path selects among the known
 * registries and is never an address to connect to.
 */
export function resolveName(registries: Registries, naming: Naming): Resolved | Unresolved {
  const { table } = registries;
  const ns = naming.ns === undefined ? undefined : parseHost(naming.ns);
  if (naming.ns !== undefined && ns === undefined) return unknownName(`?ns=${naming.ns.slice(0, 80)}`);
  const host = naming.host === undefined ? undefined : hostNamed(registries, naming.host);
  const name = ns === undefined ? naming.name : withoutOwnHost(naming.name, ns);
  const found = table.match({ ns, host, name });
  if (found === undefined) return unknownName(`"${naming.name}"`);
  const { rule, rest } = found;
  if (rule.serve === "store") return resolved(rule, ownRegistry, rule.match.kind === "name" ? rest : name);
  if (rule.match.kind === "rest") return resolveRest(registries, rule, { ns, host, name });
  const upstream = rule.upstream ?? impliedUpstream(rule);
  return upstream === undefined ? unknownName(`"${naming.name}"`) : resolved(rule, upstream, rest);
}

/** The registry that a rule without `upstream` means: the one its match names. */
export function impliedUpstream(rule: Rule): RegistryHost | undefined {
  switch (rule.match.kind) {
    case "rest":
      return undefined;
    case "name":
      return rule.match.name;
    case "parts":
      return rule.match.ns ?? rule.match.host ?? prefixHost(rule.match.prefix);
  }
}

/** A `Host` that nothing here is named by is read without its port: that is where this program listens, not a registry's. */
function hostNamed(registries: Registries, text: string): RegistryHost | undefined {
  const host = parseHost(text);
  const colon = host?.lastIndexOf(":") ?? -1;
  if (host === undefined || colon < 0 || registries.table.namesHost(host) || registries.knows(host)) return host;
  return parseHost(host.slice(0, colon));
}

/** Some clients say the registry twice: in `ns`, and again before the name in the path. */
function withoutOwnHost(name: string, ns: RegistryHost): string {
  const slash = name.indexOf("/");
  return slash > 0 && looksLikeHost(name.slice(0, slash)) && parseHost(name.slice(0, slash)) === ns
    ? name.slice(slash + 1)
    : name;
}

interface RestQuery {
  readonly ns: RegistryHost | undefined;
  readonly host: RegistryHost | undefined;
  readonly name: string;
}

function resolveRest(registries: Registries, rule: Rule, { ns, host, name }: RestQuery): Resolved | Unresolved {
  if (rule.upstream !== undefined) {
    return ns === undefined || ns === rule.upstream ? resolved(rule, rule.upstream, name) : unknownName(`?ns=${ns}`);
  }
  if (ns !== undefined) return registries.knows(ns) ? resolved(rule, ns, name) : unknownName(`?ns=${ns}`);
  if (host !== undefined && registries.knows(host)) return resolved(rule, host, name);
  const slash = name.indexOf("/");
  const first = slash < 0 ? "" : name.slice(0, slash);
  if (!looksLikeHost(first))
    return registries.knows(dockerHub) ? resolved(rule, dockerHub, name) : unknownName(`"${name}"`);
  const named = parseHost(first);
  if (named === undefined || !registries.knows(named)) return unknownName(`"${first}"`);
  return resolved(rule, named, name.slice(slash + 1));
}

function resolved(rule: Rule, upstream: RegistryHost, rest: string): Resolved | Unresolved {
  const repository = parseRepository(rest);
  if (repository === undefined) {
    return { kind: "unresolved", code: "NAME_INVALID", message: `"${rest}" is not a repository name` };
  }
  return { kind: "resolved", rule, upstream, repository: canonicalRepository(upstream, repository) };
}

function prefixHost(prefix: string | undefined): RegistryHost | undefined {
  const first = prefix?.split("/", 1)[0] ?? "";
  return looksLikeHost(first) && first === prefix ? parseHost(first) : undefined;
}

function unknownName(what: string): Unresolved {
  return {
    kind: "unresolved",
    code: "NAME_UNKNOWN",
    message: `${what} names no registry that is served here; add it to upstreams and rules, or use a name that is there`,
  };
}
