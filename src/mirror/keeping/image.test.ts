import { expect, test } from "bun:test";
import type { RegistryHost } from "../../reference/host.ts";
import { buildRuleTable } from "../../rules/table.ts";
import type { Registries } from "../../rules/resolve.ts";
import type { Rule } from "../../rules/rule.ts";
import { pullOf, resolveImage } from "./image.ts";
import { ruleOf } from "./testing/world.ts";

const host = (name: string): RegistryHost => name as RegistryHost;

function registries(...rules: readonly Rule[]): Registries {
  const table = buildRuleTable(rules);
  if ("overlaps" in table) throw new Error("overlap");
  return { table, knows: (name) => ["quay.io", "docker.io", "registry.k8s.io"].includes(name) };
}

const all = ruleOf({ id: "all" });
const legacy = ruleOf({
  id: "legacy",
  match: { kind: "name", name: host("k8s.gcr.io") },
  upstream: host("registry.k8s.io"),
});
const bare = ruleOf({ id: "bare", upstream: host("registry.k8s.io") });
const mirror = ruleOf({
  id: "mirror",
  match: { kind: "parts", ns: host("quay.io"), host: undefined, prefix: undefined },
});
const named = ruleOf({
  id: "named",
  match: { kind: "parts", host: host("quay.io"), ns: undefined, prefix: undefined },
});
const team = ruleOf({
  id: "team",
  match: { kind: "parts", prefix: "team", ns: undefined, host: undefined },
  upstream: host("quay.io"),
});
const d = `sha256:${"d".repeat(64)}`;

test.each([
  ["registry.k8s.io/pause:3.9", [all], "all registry.k8s.io/pause:3.9"],
  ["nginx", [all], "all docker.io/library/nginx:latest"],
  ["docker.io/nginx:1", [all], "all docker.io/library/nginx:1"],
  [`quay.io/a/b:v1@${d}`, [all], `all quay.io/a/b:v1@${d}`],
  [`quay.io/a/b@${d}`, [all], `all quay.io/a/b@${d}`],
  ["k8s.gcr.io/pause:3.9", [all, legacy], "legacy registry.k8s.io/pause:3.9"],
  ["pause:3.9", [bare], "bare registry.k8s.io/pause:3.9"],
  ["registry.k8s.io/pause:3.9", [bare], "bare registry.k8s.io/pause:3.9"],
  ["quay.io/a/b", [mirror], "mirror quay.io/a/b:latest"],
  ["quay.io/a/b", [named], "named quay.io/a/b:latest"],
  ["team/app:1", [all, team], "team quay.io/app:1"],
])("%s under rules %#", (text, rules, expected) => {
  const image = resolveImage(registries(...rules), text);
  if (image.kind === "refused") throw new Error(image.reason);
  expect(`${"kind" in image.rule ? "none" : image.rule.id} ${image.name}`).toBe(expected);
});

test.each([
  ["quay.io/a/b:1", [bare], "no rule serves quay.io/a/b"],
  ["quay.io/a/b:1", [legacy], "no rule serves quay.io/a/b"],
  ["ghcr.io/a/b:1", [all], "no rule serves ghcr.io/a/b"],
  ["quay.io/a/b:1", [ruleOf({ id: "r", serve: "redirect" })], "rule r redirects pulls of quay.io/a/b:1"],
])("nothing keeps %s under rules %#", (text, rules, expected) => {
  const image = resolveImage(registries(...rules), text);
  const pull = image.kind === "refused" ? image : pullOf(image);
  expect("kind" in pull ? pull.reason : `it is ${pull.place.upstream}/${pull.place.repository}`).toContain(expected);
});

test.each([
  ["a b", "not a reference"],
  ["quay.io/A:1", "not a reference"],
  [d, "a digest alone"],
])("%s is refused", (text, expected) => {
  expect(resolveImage(registries(all), text)).toMatchObject({
    kind: "refused",
    reason: expect.stringContaining(expected),
  });
});
