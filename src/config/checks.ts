import { parseHost, type RegistryHost } from "../reference/host.ts";
import { impliedUpstream } from "../rules/resolve.ts";
import type { Rule } from "../rules/rule.ts";
import type { Draft } from "./draft.ts";
import { isLoopback } from "./place.ts";
import type { Path } from "./problem.ts";
import type { PlacedRule } from "./rules.ts";
import type { Settings, Upstream } from "./settings.ts";

/** The settings as far as checks of several of them together need them. */
type Together = Pick<Settings, "listen" | "clients" | "auth" | "upstreams" | "redirect" | "workers">;

/** What no single value says wrong, but several say together. */
export function checkTogether(draft: Draft, settings: Together, placed: readonly PlacedRule[]): void {
  checkPrivateCached(draft, settings, placed);
  checkPrivateRedirected(draft, settings, placed);
  checkWorkers(draft, settings, placed);
  checkStored(draft, settings, placed);
  warnOfUse(draft, settings, placed);
}

/** What credentials brought in is for users only: a cache without users would give it to everybody. */
function checkPrivateCached(draft: Draft, { auth, upstreams }: Together, placed: readonly PlacedRule[]): void {
  if (auth !== undefined || draft.broken.has("auth")) return;
  const caching = placed.filter(({ rule }) => rule.serve === "cache");
  const reached = new Set(caching.flatMap(({ rule }) => reachable(rule, upstreams)));
  for (const { host } of [...reached].filter(isPrivate)) {
    draft.findings.problem(
      [...keyOf(draft, host), "credentials"],
      `what ${host} gives is private, as it is pulled from with credentials, and there are no users to serve it to: add auth, or public: true if everybody who reaches this server may have it`,
    );
  }
}

/** A redirect sends clients on with nothing but their own rights, and tells them by its buckets what a private registry holds. */
function checkPrivateRedirected({ findings }: Draft, { upstreams }: Together, placed: readonly PlacedRule[]): void {
  for (const { rule, at } of placed) {
    if (rule.serve !== "redirect") continue;
    const hosts = reachable(rule, upstreams)
      .filter(isPrivate)
      .map(({ host }) => host);
    if (hosts.length === 0) continue;
    const place = rule.upstream === undefined ? [...at, "match"] : [...at, "upstream"];
    const hint = rule.match.kind === "rest" && rule.upstream === undefined ? ", name one registry in upstream" : "";
    findings.problem(
      place,
      `would redirect to ${hosts.join(", ")}, which is private: use serve: cache${hint}, or say public: true in upstreams if it is not`,
    );
  }
}

function checkWorkers({ findings, overrides }: Draft, { workers }: Together, placed: readonly PlacedRule[]): void {
  const kept = placed.find(({ rule }) => rule.serve !== "redirect");
  if (workers === 1 || kept === undefined) return;
  const at = overrides.workers === undefined ? ["workers"] : ["--workers"];
  const what = kept.rule.serve === "cache" ? "caches" : "stores";
  findings.problem(at, `must be 1 where a rule ${what} (${kept.rule.id}): one process owns the storage folder`);
}

/** Clients without a name change nothing that others can reach; a grant that says so is a mistake. */
function checkStored({ findings, broken }: Draft, { auth, listen }: Together, placed: readonly PlacedRule[]): void {
  for (const { rule, at } of placed) {
    for (const [index, { users, actions }] of (rule.store?.grants ?? []).entries()) {
      const place = [...at, "access", index];
      if (auth === undefined && !broken.has("auth") && users.some((name) => name !== "anonymous")) {
        findings.problem([...place, "users"], "names users, and there are none: add auth");
      }
      if (!users.includes("anonymous") || actions.every((action) => action === "pull")) continue;
      if (auth !== undefined || !isLoopback(listen.hostname)) {
        findings.problem(
          [...place, "may"],
          "anonymous may only pull, except on a loopback address without auth: name users, or leave push and delete out",
        );
      }
    }
  }
}

function warnOfUse(draft: Draft, settings: Together, placed: readonly PlacedRule[]): void {
  const { findings } = draft;
  const { upstreams, redirect, clients, auth, listen } = settings;
  if (placed.length === 0) findings.warning(["rules"], "is empty: every name is answered with 404");
  const reached = new Set(placed.flatMap(({ rule }) => reachable(rule, upstreams)));
  const isStoring = placed.some(({ rule }) => rule.serve === "store" && rule.store?.grants === undefined);
  if (isStoring && auth === undefined && !isLoopback(listen.hostname)) {
    findings.warning(
      ["rules"],
      "store without auth: nobody can push over the network; add auth, or listen on loopback",
    );
  }
  for (const key of Object.keys(draft.config.upstreams ?? {})) {
    const isReached = [...reached].some(({ host }) => keyOf(draft, host).at(-1) === key);
    if (!isReached) findings.warning(["upstreams", key], "is named by no rule");
  }
  const isRedirecting = placed.some(({ rule }) => rule.serve === "redirect");
  if (redirect.buckets.length > 0 && !isRedirecting) findings.warning(["redirect", "buckets"], "are used by no rule");
  const isOpen = clients === "any" && auth === undefined && !isLoopback(listen.hostname);
  if (isOpen && placed.some(({ rule }) => rule.serve === "cache")) {
    findings.warning(["clients"], "any, without auth: everybody who reaches this server may fill its cache");
  }
}

function isPrivate({ credentials, isPublic }: Upstream): boolean {
  return credentials.kind !== "none" && !isPublic;
}

/** Under `*` a name may say any registry that is known, also one with a rule of its own (`HOST:443/name`). */
function reachable(rule: Rule, upstreams: ReadonlyMap<RegistryHost, Upstream>): readonly Upstream[] {
  if (rule.serve === "store") return [];
  const one = rule.upstream ?? impliedUpstream(rule);
  if (one === undefined) return rule.match.kind === "rest" ? [...upstreams.values()] : [];
  const upstream = upstreams.get(one);
  return upstream === undefined ? [] : [upstream];
}

/** Where an upstream is written: its key may be another spelling of its host. */
function keyOf({ config }: Draft, host: RegistryHost): Path {
  const key = Object.keys(config.upstreams ?? {}).find((name) => parseHost(name) === host);
  return ["upstreams", key ?? host];
}
