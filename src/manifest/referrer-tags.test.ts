import { expect, test } from "bun:test";
import { parseDigest } from "../reference/digest.ts";
import { cosignTags, isSignatureTag, referrersTag } from "./referrer-tags.ts";

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

test("the tags of a digest are tags that are known as such; what is too long for cosign has its list only", () => {
  const short = parseDigest(`sha256:${hex}`)!;
  const long = parseDigest(`sha512:${hex}${hex}`)!;
  expect(cosignTags(short).map(String)).toEqual([`sha256-${hex}.sig`, `sha256-${hex}.att`, `sha256-${hex}.sbom`]);
  expect([...cosignTags(short), referrersTag(short), referrersTag(long)].every(isSignatureTag)).toBe(true);
  expect(cosignTags(long)).toEqual([]);
});
