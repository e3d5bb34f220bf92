import { parseHost, type RegistryHost } from "../reference/host.ts";
import { impliedUpstream } from "../rules/resolve.ts";
import { describeMatch, type Match, type Rule, type StoreTerms } from "../rules/rule.ts";
import { buildRuleTable, describeOverlap, type RuleTable } from "../rules/table.ts";
import { defaultFreshForMs, defaultServeStaleForMs } from "./defaults.ts";
import type { Draft } from "./draft.ts";
import { parseDuration } from "./duration.ts";
import type { RuleEntry } from "./file.ts";
import type { Path } from "./problem.ts";
import type { IndexedRule } from "./prune.ts";
import type { Upstream } from "./settings.ts";
import { parseSize } from "./size.ts";
import { wellKnownRegistries } from "./well-known.ts";

/** A rule and the path of its lines in the file. */
export interface PlacedRule {
  readonly rule: Rule;
  readonly at: Path;
}

/** The rules that can be understood; what is wrong with the others is among the findings. */
export function rulesOf(draft: Draft, upstreams: ReadonlyMap<RegistryHost, Upstream>): readonly PlacedRule[] {
  const placed = draft.rules.flatMap((indexed) => placedRule(draft, indexed));
  checkIds(draft, placed);
  for (const { rule, at } of placed) checkUpstream(draft, { rule, at }, upstreams);
  return placed;
}

/** The table of these rules. Those that overlap are reported, and the table is then that of the rules before them. */
export function tableOf(draft: Draft, placed: readonly PlacedRule[]): RuleTable {
  const built = buildRuleTable(placed.map(({ rule }) => rule));
  if (!("overlaps" in built)) return built;
  const places = new Map(placed.map(({ rule, at }) => [rule, at]));
  for (const overlap of built.overlaps) {
    const { origin } = overlap.first;
    const other = origin.kind === "file" ? ` (the other one is at ${origin.file}:${origin.line})` : "";
    draft.findings.problem([...(places.get(overlap.second) ?? []), "match"], describeOverlap(overlap) + other);
  }
  const later = new Set(built.overlaps.map(({ second }) => second));
  return tableOf(
    draft,
    placed.filter(({ rule }) => !later.has(rule)),
  );
}

function placedRule(draft: Draft, { index, entry }: IndexedRule): readonly PlacedRule[] {
  const at: Path = ["rules", index];
  const match = matchOf(entry.match);
  if (match === undefined) {
    draft.findings.problem([...at, "match"], "needs at least one of host, ns and prefix");
    return [];
  }
  checkCacheKeys(draft, entry, at);
  checkStoreKeys(draft, entry, at);
  const upstream = entry.upstream === undefined ? undefined : parseHost(entry.upstream);
  const rule: Rule = {
    id: entry.id ?? `rules[${index}]`,
    origin: originOf(draft, at),
    match,
    upstream,
    serve: entry.serve,
    freshForMs: durationOf(entry.freshFor, defaultFreshForMs),
    serveStaleForMs: durationOf(entry.serveStaleFor, defaultServeStaleForMs),
    maxSizeBytes: entry.maxSize === undefined ? undefined : parseSize(entry.maxSize),
    ...(entry.serve === "store" ? { store: storeTerms(entry) } : {}),
  };
  return [{ rule, at }];
}

function originOf({ source }: Draft, at: Path): Rule["origin"] {
  return source === undefined ? { kind: "default" } : { kind: "file", file: source.file, line: source.lineOf(at) };
}

function matchOf(entry: RuleEntry["match"]): Match | undefined {
  if (entry === "*") return { kind: "rest" };
  if (typeof entry === "string") {
    const name = parseHost(entry);
    return name === undefined ? undefined : { kind: "name", name };
  }
  const host = entry.host === undefined ? undefined : parseHost(entry.host);
  const ns = entry.ns === undefined ? undefined : parseHost(entry.ns);
  const { prefix } = entry;
  return host === undefined && ns === undefined && prefix === undefined
    ? undefined
    : { kind: "parts", host, ns, prefix };
}

function durationOf(text: string | undefined, absentMs: number): number {
  return text === undefined ? absentMs : (parseDuration(text) ?? absentMs);
}

function checkCacheKeys({ findings }: Draft, entry: RuleEntry, at: Path): void {
  if (entry.serve === "cache") return;
  for (const key of ["freshFor", "serveStaleFor", "maxSize"] as const) {
    if (entry[key] !== undefined) findings.problem([...at, key], "is for serve: cache alone");
  }
}

function storeTerms({ access, immutableTags }: RuleEntry): StoreTerms {
  const grants = access?.map(({ users, repositories, may }) => ({
    users,
    repositories: repositories ?? ["**"],
    actions: may,
  }));
  return { grants, immutableTags: immutableTags ?? [] };
}

/** What is for our own repositories, and what is not. */
function checkStoreKeys({ findings }: Draft, entry: RuleEntry, at: Path): void {
  const isStore = entry.serve === "store";
  if (isStore && entry.upstream !== undefined) {
    findings.problem([...at, "upstream"], "means nothing here: repositories of serve: store are our own");
  }
  for (const key of ["access", "immutableTags"] as const) {
    if (!isStore && entry[key] !== undefined) findings.problem([...at, key], "is for serve: store");
  }
}

function checkIds({ findings }: Draft, placed: readonly PlacedRule[]): void {
  const seen = new Set<string>();
  for (const { rule, at } of placed) {
    if (seen.has(rule.id)) findings.problem([...at, "id"], `"${rule.id}" is the id of another rule too`);
    seen.add(rule.id);
  }
}

function checkUpstream(draft: Draft, { rule, at }: PlacedRule, upstreams: ReadonlyMap<RegistryHost, Upstream>): void {
  if (draft.broken.has("upstreams") || draft.broken.has("wellKnown") || rule.serve === "store") return;
  const upstream = rule.upstream ?? impliedUpstream(rule);
  if (upstream === undefined) {
    if (rule.match.kind === "rest") return;
    draft.findings.problem(
      at,
      `"${describeMatch(rule.match)}" does not say which registry answers; add upstream: HOST`,
    );
    return;
  }
  if (upstreams.has(upstream)) return;
  const place = rule.upstream === undefined ? [...at, "match"] : [...at, "upstream"];
  const orWellKnown = wellKnownRegistries.has(upstream) ? ", or say wellKnown: true" : "";
  const orOther = rule.upstream === undefined ? ", or say in upstream which registry answers" : "";
  draft.findings.problem(place, `${upstream} is not in upstreams; add "${upstream}: {}" there${orWellKnown}${orOther}`);
}
