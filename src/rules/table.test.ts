import { expect, test } from "bun:test";
import fc from "fast-check";
import type { RegistryHost } from "../reference/host.ts";
import type { Match, Rule } from "./rule.ts";
import { buildRuleTable, describeOverlap, type RuleQuery, type RuleTable } from "./table.ts";

const host = (name: string): RegistryHost => name as RegistryHost;
const parts = (p: { ns?: string; host?: string; prefix?: string }): Match => ({
  kind: "parts",
  ns: p.ns === undefined ? undefined : host(p.ns),
  host: p.host === undefined ? undefined : host(p.host),
  prefix: p.prefix,
});
const name = (n: string): Match => ({ kind: "name", name: host(n) });
const rest: Match = { kind: "rest" };

function rule(id: string, match: Match): Rule {
  return {
    id,
    origin: { kind: "default" },
    match,
    upstream: undefined,
    serve: "cache",
    freshForMs: 0,
    serveStaleForMs: 0,
    maxSizeBytes: undefined,
  };
}

function table(...rules: readonly Rule[]): RuleTable {
  const built = buildRuleTable(rules);
  if ("overlaps" in built) throw new Error(built.overlaps.map(describeOverlap).join());
  return built;
}

const order = table(
  rule("rest", rest),
  rule("a", name("a.io")),
  rule("ns", parts({ ns: "n.io" })),
  rule("ns+prefix", parts({ ns: "n.io", prefix: "team" })),
  rule("host", parts({ host: "h.io" })),
  rule("host+prefix", parts({ host: "h.io", prefix: "team" })),
  rule("prefix", parts({ prefix: "team" })),
  rule("longer", parts({ prefix: "team/sub" })),
  rule("ns+host", parts({ ns: "n.io", host: "h.io" })),
);

test.each([
  [{ name: "x" }, "rest", "x"],
  [{ name: "a.io/x" }, "a", "x"],
  [{ name: "x", host: "a.io" }, "a", "x"],
  [{ name: "x", ns: "a.io" }, "a", "x"],
  [{ name: "x", ns: "n.io" }, "ns", "x"],
  [{ name: "team/x", ns: "n.io" }, "ns+prefix", "x"],
  [{ name: "team/x", ns: "n.io", host: "h.io" }, "ns+host", "team/x"],
  [{ name: "x", ns: "n.io", host: "a.io" }, "ns", "x"],
  [{ name: "x", host: "h.io" }, "host", "x"],
  [{ name: "team/x", host: "h.io" }, "host+prefix", "x"],
  [{ name: "team/x" }, "prefix", "x"],
  [{ name: "team/sub/x" }, "longer", "x"],
  [{ name: "team/sub" }, "prefix", "sub"],
  [{ name: "team" }, "rest", "team"],
  [{ name: "teams/x" }, "rest", "teams/x"],
  [{ name: "team/x", ns: "other.io" }, "prefix", "x"],
])("%p is for rule %s, rest %s", (query, id, left) => {
  const q = query as { name: string; ns?: string; host?: string };
  const found = order.match({
    name: q.name,
    ns: q.ns === undefined ? undefined : host(q.ns),
    host: q.host === undefined ? undefined : host(q.host),
  });
  expect([found?.rule.id, found?.rest]).toEqual([id, left]);
});

test.each([
  [[rest, rest]],
  [[name("a.io"), name("a.io")]],
  [[name("a.io"), parts({ prefix: "a.io" })]],
  [[parts({ host: "a.io" }), name("a.io")]],
  [[parts({ ns: "a.io", prefix: "x" }), parts({ ns: "a.io", prefix: "x" })]],
])("overlap %# is refused", (matches) => {
  const built = buildRuleTable(matches.map((match, i) => rule(`r${i}`, match)));
  expect("overlaps" in built && built.overlaps.map((o) => [o.first.id, o.second.id])).toEqual([["r0", "r1"]]);
});

test("the order of the rows never matters", () => {
  const matches = [
    rest,
    name("a.io"),
    name("b.io"),
    parts({ prefix: "t" }),
    parts({ prefix: "t/u" }),
    parts({ ns: "a.io", prefix: "t" }),
  ];
  const rules = matches.map((match, i) => rule(`r${i}`, match));
  const straight = table(...rules);
  const hosts = fc.option(fc.constantFrom(host("a.io"), host("b.io"), host("c.io")), { nil: undefined });
  const query: fc.Arbitrary<RuleQuery> = fc.record({
    ns: hosts,
    host: hosts,
    name: fc.constantFrom("x", "t/x", "t/u/x", "a.io/x", "b.io/t/x"),
  });
  fc.assert(
    fc.property(fc.shuffledSubarray(rules, { minLength: rules.length }), query, (shuffled, q) => {
      expect(table(...shuffled).match(q)).toEqual(straight.match(q));
    }),
  );
});

test("readsHost says whether any rule looks at Host", () => {
  expect(table(rule("r", rest)).readsHost).toBe(false);
  expect(table(rule("r", parts({ prefix: "a" }))).readsHost).toBe(false);
  expect(table(rule("r", name("a.io"))).readsHost).toBe(true);
});
