import { expect, test } from "bun:test";
import { parseHostPort } from "./host-port.ts";

const cases: readonly (readonly [text: string, host: string, port: number | undefined])[] = [
  ["registry.k8s.io", "registry.k8s.io", undefined],
  ["localhost:5000", "localhost", 5000],
  ["0.0.0.0:8080", "0.0.0.0", 8080],
  ["1.2.3.4", "1.2.3.4", undefined],
  ["1.2.3.4:0", "1.2.3.4", 0],
  ["1.2.3.4:65535", "1.2.3.4", 65_535],
  ["[::1]", "::1", undefined],
  ["[::1]:443", "::1", 443],
  ["::1", "::1", undefined],
  ["2001:db8::1:443", "2001:db8::1:443", undefined],
];

test.each(cases)("%s", (text, host, port) => {
  expect(parseHostPort(text)).toEqual({ host, port });
});

const refused = [
  "",
  ":80",
  "a:",
  "a:b",
  "a:65536",
  "a:123456",
  "a:-1",
  "a:+1",
  "a: 1",
  "a:1e3",
  "[::1",
  "[::1]x",
  "[::1]:",
  "[]:80",
  "[a]:80",
  "[1.2.3.4]",
];

test.each(refused)("refuses %p", (text) => {
  expect(parseHostPort(text)).toBeUndefined();
});
