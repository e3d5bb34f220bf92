import { expect, test } from "bun:test";
import { looksLikeHost, parseHost } from "./host.ts";

test.each([
  ["registry.k8s.io", "registry.k8s.io"],
  ["Registry.K8s.IO.", "registry.k8s.io"],
  ["localhost:5000", "localhost:5000"],
  ["quay.io:443", "quay.io"],
  ["index.docker.io", "docker.io"],
  ["registry-1.docker.io:443", "docker.io"],
  ["127.0.0.1:80", "127.0.0.1:80"],
  ["[::1]:5000", "[::1]:5000"],
  ["", undefined],
  ["a..b", undefined],
  ["-a.b", undefined],
  ["a b", undefined],
  ["a:0", undefined],
  ["a:99999", undefined],
  ["a:", undefined],
  ["user@host", undefined],
  ["host/path", undefined],
  ["a\r\nb", undefined],
  [`${"a".repeat(64)}.io`, undefined],
])("%p is the host %p", (text, host) => {
  expect<string | undefined>(parseHost(text)).toBe(host);
});

test.each([
  ["localhost", true],
  ["a.b", true],
  ["a:1", true],
  ["library", false],
])("%p looks like a host: %p", (text, yes) => {
  expect(looksLikeHost(text)).toBe(yes);
});
