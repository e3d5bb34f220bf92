import { expect, test } from "bun:test";
import fc from "fast-check";
import { compareVersions, parseVersion } from "./version.ts";

test.each([
  ["v1.31.0", { parts: [1, 31, 0], prerelease: [] }],
  ["3.9", { parts: [3, 9], prerelease: [] }],
  ["20250101", { parts: [20250101], prerelease: [] }],
  ["1.2.3-rc.1", { parts: [1, 2, 3], prerelease: ["rc", "1"] }],
  ["1.27-alpine3.19", { parts: [1, 27], prerelease: ["alpine3", "19"] }],
  ["1.2.3+build.5", { parts: [1, 2, 3], prerelease: [] }],
  ["01.02", { parts: [1, 2], prerelease: [] }],
  ["1.2.3.4", { parts: [1, 2, 3, 4], prerelease: [] }],
  ["latest", undefined],
  ["", undefined],
  ["v", undefined],
  ["1.", undefined],
  ["1.x", undefined],
  ["1-", undefined],
  ["1-a..b", undefined],
  ["1-a_b", undefined],
  ["vv1", undefined],
  ["1.2.3.4.5.6.7.8.9", undefined],
  ["1234567890123456", undefined],
  ["sha256-0a", undefined],
])("%s", (text, version) => {
  expect(parseVersion(text)).toEqual(version);
});

test.each([
  ["1.2", "1.2.0", 0],
  ["v1.2", "1.2", 0],
  ["1.2.3.4", "1.2.3", 1],
  ["1.10", "1.9", 1],
  ["1.0.0-rc.10", "1.0.0-rc.9", 1],
  ["1.0.0-rc.09", "1.0.0-rc.9", 0],
  ["1.0.0-99999999999999999999", "1.0.0-100000000000000000000", -1],
])("%s beside %s: %p", (a, b, sign) => {
  const [first, second] = [parseVersion(a)!, parseVersion(b)!];
  expect(Math.sign(compareVersions(first, second))).toBe(sign);
  expect(Math.sign(compareVersions(second, first))).toBe(-sign + 0);
});

const number = fc.oneof(fc.nat(3), fc.nat(1e9)).map(String);
const identifier = fc.oneof(number, fc.constantFrom("alpha", "beta", "rc", "rc1", "x-y", "0a"));
const semver = fc
  .tuple(number, number, number, fc.array(identifier, { maxLength: 3 }))
  .map(([major, minor, patch, pre]) => `${major}.${minor}.${patch}${pre.length === 0 ? "" : `-${pre.join(".")}`}`);

test("the order of whole versions is the runtime's", () => {
  fc.assert(
    fc.property(semver, semver, (a, b) => {
      const [first, second] = [parseVersion(a)!, parseVersion(b)!];
      expect([a, b, Math.sign(compareVersions(first, second))]).toEqual([a, b, Bun.semver.order(a, b)]);
    }),
    { numRuns: 5000 },
  );
});

test("it is one order: what is before what is before is before", () => {
  fc.assert(
    fc.property(fc.array(semver, { minLength: 3, maxLength: 3 }), (texts) => {
      const [a, b, c] = texts.map((text) => parseVersion(text)!).toSorted(compareVersions);
      expect(compareVersions(a!, b!)).toBeLessThanOrEqual(0);
      expect(compareVersions(b!, c!)).toBeLessThanOrEqual(0);
      expect(compareVersions(a!, c!)).toBeLessThanOrEqual(0);
    }),
  );
});
