import { expect, test } from "bun:test";
import { parseEndpoint } from "../reference/endpoint.ts";
import type { RegistryHost } from "../reference/host.ts";
import { type Ask, decide } from "./decide.ts";
import type { Registries } from "./resolve.ts";
import type { Match, Rule } from "./rule.ts";
import { buildRuleTable } from "./table.ts";

const host = (name: string): RegistryHost => name as RegistryHost;
const known = new Set(["docker.io", "registry.k8s.io", "quay.io", "localhost:5001"].map(host));

function rule(match: Match, upstream?: string): Rule {
  return {
    id: "r",
    origin: { kind: "default" },
    match,
    upstream: upstream === undefined ? undefined : host(upstream),
    serve: "cache",
    freshForMs: 0,
    serveStaleForMs: 0,
    maxSizeBytes: undefined,
  };
}

function registries(...rules: readonly Rule[]): Registries {
  const table = buildRuleTable(rules);
  if ("overlaps" in table) throw new Error("overlap");
  return { table, knows: (name) => known.has(name) };
}

const open = registries(
  rule({ kind: "rest" }),
  rule({ kind: "name", name: host("k8s.gcr.io") }, "registry.k8s.io"),
  rule({ kind: "parts", ns: undefined, host: undefined, prefix: "mirror/k8s" }, "registry.k8s.io"),
);
const single = registries(rule({ kind: "rest" }, "registry.k8s.io"));

function outcome(on: Registries, path: string, more: Partial<Ask> = {}): string {
  const decision = decide(on, {
    method: "GET",
    endpoint: parseEndpoint(path),
    ns: undefined,
    host: undefined,
    ...more,
  });
  switch (decision.kind) {
    case "base":
      return "base";
    case "refuse":
      return `${decision.status} ${decision.code}`;
    case "catalog":
      return "catalog";
    case "store":
      return `own ${decision.repository} ${decision.endpoint.kind} ${decision.action}`;
    default:
      return `${decision.upstream} ${decision.repository}`;
  }
}

const m = (name: string): string => `/v2/${name}/manifests/1`;

test.each([
  ["/v2/", {}, "base"],
  ["/v2/", { method: "POST" }, "405 UNSUPPORTED"],
  ["/v2/_catalog", {}, "404 UNSUPPORTED"],
  ["/v3/", {}, "404 UNSUPPORTED"],
  [m("pause"), {}, "docker.io library/pause"],
  [m("a/b"), {}, "docker.io a/b"],
  [m("docker.io/pause"), {}, "docker.io library/pause"],
  [m("docker.io/library/pause"), {}, "docker.io library/pause"],
  [m("index.docker.io/pause"), {}, "docker.io library/pause"],
  [m("registry-1.docker.io/pause"), {}, "docker.io library/pause"],
  [m("pause"), { ns: "docker.io" }, "docker.io library/pause"],
  [m("registry.k8s.io/pause"), {}, "registry.k8s.io pause"],
  [m("pause"), { ns: "registry.k8s.io" }, "registry.k8s.io pause"],
  [m("pause"), { ns: "Registry.K8s.io" }, "registry.k8s.io pause"],
  [m("pause"), { host: "registry.k8s.io" }, "registry.k8s.io pause"],
  [m("pause"), { host: "localhost:5000" }, "docker.io library/pause"],
  [m("localhost:5001/x"), {}, "localhost:5001 x"],
  [m("localhost:5002/x"), {}, "404 NAME_UNKNOWN"],
  [m("k8s.gcr.io/pause"), {}, "registry.k8s.io pause"],
  [m("pause"), { ns: "k8s.gcr.io" }, "registry.k8s.io pause"],
  [m("pause"), { host: "k8s.gcr.io" }, "registry.k8s.io pause"],
  [m("mirror/k8s/a/b"), {}, "registry.k8s.io a/b"],
  [m("registry.k8s.io/pause"), { ns: "registry.k8s.io" }, "registry.k8s.io pause"],
  [m("quay.io/pause"), { ns: "registry.k8s.io" }, "registry.k8s.io quay.io/pause"],
  [m("pause"), { host: "registry.k8s.io:5000" }, "registry.k8s.io pause"],
  [m("pause"), { host: "k8s.gcr.io:8443" }, "registry.k8s.io pause"],
  [m("x"), { host: "localhost:5001" }, "localhost:5001 x"],
  [m("x"), { ns: "evil.example" }, "404 NAME_UNKNOWN"],
  [m("x"), { ns: "127.0.0.1:22" }, "404 NAME_UNKNOWN"],
  [m("x"), { ns: "user@host" }, "404 NAME_UNKNOWN"],
  [m("x"), { ns: "" }, "404 NAME_UNKNOWN"],
  [m("evil.example/x"), {}, "404 NAME_UNKNOWN"],
  [m("registry.k8s.io"), {}, "docker.io library/registry.k8s.io"],
  ["/v2/A/manifests/1", {}, "400 NAME_INVALID"],
  ["/v2/a/blobs/sha256:1", {}, "400 DIGEST_INVALID"],
  ["/v2/a/manifests/-", {}, "400 MANIFEST_INVALID"],
])("%s %p: %s", (path, more, expected) => {
  expect(outcome(open, path, more)).toBe(expected);
});

test.each([
  [m("pause"), {}, "registry.k8s.io pause"],
  [m("pause"), { ns: "registry.k8s.io" }, "registry.k8s.io pause"],
  [m("pause"), { ns: "docker.io" }, "404 NAME_UNKNOWN"],
  [m("quay.io/pause"), {}, "registry.k8s.io quay.io/pause"],
  [m("localhost:5001/pause"), {}, "400 NAME_INVALID"],
])("one registry under bare names: %s %p: %s", (path, more, expected) => {
  expect(outcome(single, path, more)).toBe(expected);
});

const own = registries({ ...rule({ kind: "rest" }), serve: "store" }, rule({ kind: "name", name: host("quay.io") }), {
  ...rule({ kind: "name", name: host("registry.own") }),
  serve: "store",
});
const digest = `sha256:${"0a".repeat(32)}`;

test.each([
  ["GET", m("team/app"), {}, "own team/app manifest pull"],
  ["HEAD", `/v2/team/app/blobs/${digest}`, {}, "own team/app blob pull"],
  ["PUT", m("app"), {}, "own app manifest push"],
  ["DELETE", `/v2/app/manifests/${digest}`, {}, "own app manifest-by-digest delete"],
  ["DELETE", `/v2/app/blobs/${digest}`, {}, "own app blob delete"],
  ["PUT", `/v2/app/blobs/${digest}`, {}, "405 UNSUPPORTED"],
  ["POST", "/v2/app/blobs/uploads/", {}, "own app uploads push"],
  ["PATCH", "/v2/app/blobs/uploads/1", {}, "own app upload push"],
  ["GET", "/v2/app/blobs/uploads/", {}, "405 UNSUPPORTED"],
  ["POST", "/v2/app/tags/list", {}, "405 UNSUPPORTED"],
  ["constructor", "/v2/app/tags/list", {}, "405 UNSUPPORTED"],
  ["GET", "/v2/_catalog", {}, "catalog"],
  ["POST", "/v2/_catalog", {}, "405 UNSUPPORTED"],
  ["PUT", "/v2/", {}, "405 UNSUPPORTED"],
  ["GET", m("registry.own/app"), {}, "own app manifest pull"],
  ["GET", m("app"), { host: "registry.own" }, "own app manifest pull"],
  ["GET", m("quay.io/app"), {}, "quay.io app"],
  ["POST", "/v2/quay.io/app/blobs/uploads/", {}, "405 UNSUPPORTED"],
  ["GET", "/v2/quay.io/app/blobs/uploads/1", {}, "404 UNSUPPORTED"],
])("with our own repositories: %s %s %p: %s", (method, path, more, expected) => {
  expect(outcome(own, path, { method, ...more })).toBe(expected);
});

test("a method that is not taken is told which are", () => {
  const ask = { method: "PATCH", endpoint: parseEndpoint(m("app")), ns: undefined, host: undefined };
  expect(decide(own, ask)).toMatchObject({ allow: "GET, HEAD, PUT, DELETE" });
});
