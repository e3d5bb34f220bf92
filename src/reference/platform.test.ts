import { expect, test } from "bun:test";
import { parsePlatform, satisfies } from "./platform.ts";

test.each([
  ["linux/amd64", { os: "linux", architecture: "amd64", variant: undefined }],
  ["linux/arm/v7", { os: "linux", architecture: "arm", variant: "v7" }],
  ["linux", undefined],
  ["linux/", undefined],
  ["linux/arm/", undefined],
  ["a/b/c/d", undefined],
  ["Linux/amd64", undefined],
])("%s", (text, platform) => {
  expect(parsePlatform(text)).toEqual(platform);
});

test.each([
  ["linux/arm64/v8", "linux/arm64", true],
  ["linux/arm64", "linux/arm64/v8", false],
  ["linux/arm/v7", "linux/arm/v6", false],
  ["windows/amd64", "linux/amd64", false],
])("%s satisfies %s: %p", (offered, wanted, yes) => {
  const [a, b] = [parsePlatform(offered), parsePlatform(wanted)];
  expect(a !== undefined && b !== undefined && satisfies(a, b)).toBe(yes);
});
