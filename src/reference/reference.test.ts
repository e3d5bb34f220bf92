import { expect, test } from "bun:test";
import fc from "fast-check";
import { formatReference, parseReference } from "./reference.ts";

const digest = `sha256:${"ab".repeat(32)}`;

test.each([
  ["nginx", "docker.io/library/nginx:latest"],
  ["nginx:1.27", "docker.io/library/nginx:1.27"],
  ["docker.io/nginx", "docker.io/library/nginx:latest"],
  ["index.docker.io/library/nginx", "docker.io/library/nginx:latest"],
  ["bitnami/redis", "docker.io/bitnami/redis:latest"],
  ["registry.k8s.io/pause:3.9", "registry.k8s.io/pause:3.9"],
  ["localhost:5000/a/b:c", "localhost:5000/a/b:c"],
  ["localhost/a", "localhost/a:latest"],
  [`quay.io/a/b@${digest}`, `quay.io/a/b@${digest}`],
  [`quay.io/a/b:v1@${digest}`, `quay.io/a/b:v1@${digest}`],
  ["host:5000/a", "host:5000/a:latest"],
])("%s is %s", (text, full) => {
  const parsed = parseReference(text);
  expect("kind" in parsed ? parsed.reason : formatReference(parsed)).toBe(full);
});

test.each([
  ["", "repository name"],
  ["A", "repository name"],
  ["a:", "is not a tag"],
  ["a@sha256:12", "digest"],
  ["a//b", "repository name"],
  ["a.b:99999/x", "registry's host"],
  [`${"a/".repeat(600)}b`, "longer"],
])("%p is refused with its reason", (text, reason) => {
  const parsed = parseReference(text);
  expect("kind" in parsed ? parsed.reason : "accepted").toContain(reason);
});

test("the one spelling parses to itself", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(..."ab1.:/@-_"), maxLength: 24 }), (text) => {
      const first = parseReference(text);
      if ("kind" in first) return;
      expect(parseReference(formatReference(first))).toEqual(first);
    }),
    { numRuns: 20_000 },
  );
});
