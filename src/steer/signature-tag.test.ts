import { expect, test } from "bun:test";
import { isSignatureTag } from "./signature-tag.ts";

const hex = "0123456789abcdef".repeat(4);

test.each([
  [`sha256-${hex}`, true],
  [`sha256-${hex}.sig`, true],
  [`sha256-${hex}.att`, true],
  [`sha256-${hex}.sbom`, true],
  [`sha512-${hex}`, true],
  [`sha512-${hex}.sig`, false],
  [`sha512-${hex}${hex}`.slice(0, 128), false],
  [`sha384-${hex}`, false],
  [`sha256-${hex}.sigx`, false],
  [`sha256-${hex}sig`, false],
  [`sha256-${hex}0`, false],
  [`sha256-${hex.slice(1)}`, false],
  [`sha256-${hex.slice(1)}.sig`, false],
  [`sha256-${hex.toUpperCase()}.sig`, false],
  [`sha256-${hex.slice(1)}g.sig`, false],
  [`sha256:${hex}`, false],
  ["latest", false],
  ["sha256-", false],
])("%s: %p", (tag, expected) => {
  expect(isSignatureTag(tag)).toBe(expected);
});
