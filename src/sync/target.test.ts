import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseRepository, type Repository } from "../reference/repository.ts";
import { mapRepository, parseTarget } from "./target.ts";

function mapped(to: string, source: string, rest: "last-segment" | "whole" = "whole"): string {
  const target = parseTarget(to, rest);
  if ("reason" in target) return target.reason;
  const repository = mapRepository(target, source as Repository);
  return typeof repository === "string" ? `${target.host}/${repository}` : repository.reason;
}

test.each([
  ["registry.internal/k8s/pause", "pause", "registry.internal/k8s/pause"],
  ["registry.internal/**", "kubernetes/pause", "registry.internal/kubernetes/pause"],
  ["registry.internal/mirror/**", "kubernetes/pause", "registry.internal/mirror/kubernetes/pause"],
  ["registry.internal/docker.io/**", "library/nginx", "registry.internal/docker.io/library/nginx"],
  ["localhost:5000/a", "b", "localhost:5000/a"],
  ["registry.internal/a:{tag}-mirror", "b", "registry.internal/a"],
  ["me/**", "nginx", "docker.io/me/nginx"],
  ["docker.io/**", "nginx", "docker.io/library/nginx"],
  ["nginx", "x", "docker.io/library/nginx"],
  ["registry.internal", "a", "names no repository; say registry.internal/** to keep those of the source"],
  ["registry.internal/", "a", "names no repository; say registry.internal/** to keep"],
  ["registry.internal/A", "a", '"A" in it is not a repository name'],
  ["registry.internal/a/*", "a", '"a/*" in it is not a repository name'],
  ["registry.internal/**/a", "a", '"**/a" in it is not a repository name'],
  ["registry.internal/a:{date}", "a", "may have no variable but {tag} in its tag"],
  ["registry.internal/a:", "a", "has no tag behind its colon"],
  ["registry.internal/a@sha256:0", "a", "must have no digest"],
  ["a..b/x", "a", '"a..b" in it is not a registry\'s host'],
  ["registry.internal/**", "a/".repeat(130) + "a", '"a/a'],
])("to %s, %s goes to %s", (to, source, expected) => {
  expect(mapped(to, source)).toStartWith(expected);
});

test("only who asks for it gets the last segment alone", () => {
  expect(mapped("registry.internal/m/**", "a/b/c")).toBe("registry.internal/m/a/b/c");
  expect(mapped("registry.internal/m/**", "a/b/c", "last-segment")).toBe("registry.internal/m/c");
});

test("two repositories never land on one where whole paths are kept", () => {
  const repository = fc
    .array(fc.constantFrom("a", "b", "c-d", "e.f"), { minLength: 1, maxLength: 3 })
    .map((parts) => parseRepository(parts.join("/"))!);
  fc.assert(
    fc.property(repository, repository, (one, other) => {
      const same = mapped("registry.internal/m/**", one) === mapped("registry.internal/m/**", other);
      expect(same).toBe(one === other);
    }),
  );
});
