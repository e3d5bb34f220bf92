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
  [[all], "registry.k8s.io/pause:3.9", "all registry.k8s.io/pause:3.9"],
  [[all], "nginx", "all docker.io/library/nginx:latest"],
  [[all], "docker.io/nginx:1", "all docker.io/library/nginx:1"],
  [[all], `quay.io/a/b:v1@${d}`, `all quay.io/a/b:v1@${d}`],
  [[all], `quay.io/a/b@${d}`, `all quay.io/a/b@${d}`],
  [[all, legacy], "k8s.gcr.io/pause:3.9", "legacy registry.k8s.io/pause:3.9"],
  [[bare], "pause:3.9", "bare registry.k8s.io/pause:3.9"],
  [[bare], "registry.k8s.io/pause:3.9", "bare registry.k8s.io/pause:3.9"],
  [[mirror], "quay.io/a/b", "mirror quay.io/a/b:latest"],
  [[named], "quay.io/a/b", "named quay.io/a/b:latest"],
  [[all, team], "team/app:1", "team quay.io/app:1"],
])("rules %#: %s is %s", (rules, text, expected) => {
  const image = resolveImage(registries(...rules), text);
  if (image.kind === "refused") throw new Error(image.reason);
  expect(`${"kind" in image.rule ? "none" : image.rule.id} ${image.name}`).toBe(expected);
});

test.each([
  [[bare], "quay.io/a/b:1", "no rule serves quay.io/a/b"],
  [[legacy], "quay.io/a/b:1", "no rule serves quay.io/a/b"],
  [[all], "ghcr.io/a/b:1", "no rule serves ghcr.io/a/b"],
  [[ruleOf({ id: "r", serve: "redirect" })], "quay.io/a/b:1", "rule r redirects pulls of quay.io/a/b:1"],
])("rules %#: nothing keeps %s", (rules, text, expected) => {
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
