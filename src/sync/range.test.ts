import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseRange } from "./range.ts";
import { parseVersion } from "./version.ts";

function contains(range: string, version: string): boolean | string {
  const parsed = parseRange(range);
  return "reason" in parsed ? parsed.reason : parsed.contains(parseVersion(version)!);
}

test.each([
  [">=1.28 <2", "1.28", "1.28.0 v1.99.7", "1.27.9 2 2.0.0"],
  [">= 1.28, < 2", "1.30", "1.28.1", "2"],
  ["^1.2", "1.2", "1.2.0 1.99", "1.1.9 2"],
  ["^0.2.3", "0.2.3", "0.2.9", "0.3 1 0.2.2"],
  ["^0.0.3", "0.0.3", "0.0.3", "0.0.4"],
  ["^0.0", "0.0.1", "0.0.9", "0.1"],
  ["^0", "0.1", "0.9.9", "1"],
  ["~1.30", "1.30", "1.30.9", "1.31 1.29"],
  ["~1", "1.0", "1.99", "2"],
  ["~> 1.2.3", "1.2.3", "1.2.4", "1.3 1.2.2"],
  ["1.x", "1.0", "1.9.9", "2 0.9"],
  ["1.2.*", "1.2", "1.2.7", "1.3"],
  ["1.2", "1.2", "1.2.7", "1.3"],
  ["=1.2.3", "1.2.3", "v1.2.3", "1.2.4"],
  ["!=1.2", "1.3", "1.1", "1.2.7"],
  ["!=1.2.3", "1.2.4", "1.2.2", "1.2.3"],
  [">1.2", "1.3", "2", "1.2.9"],
  [">1.2.3", "1.2.4", "2", "1.2.3"],
  ["<=1.2", "1.2.9", "1.0", "1.3"],
  ["<=1.2.3", "1.2.3", "1.0", "1.2.4"],
  ["1.2 - 1.4", "1.4.9", "1.2.0", "1.5 1.1"],
  ["^1 || ^3", "1.5", "3.1", "2.0 4"],
  ["*", "0.0.0", "9.9.9", "1.0.0-rc.1 1.2.3.4"],
  [">=1.0.0-0", "1.0.0-rc.1", "2.0.0-rc.1", "0.9"],
  [">=1.0.0", "1.0.0", "2", "2.0.0-rc.1 1.2.3.4"],
  ["~1.2.0-rc.1", "1.2.0-rc.2", "1.2.5", "1.3.0-rc.1 1.3.0"],
])("%s contains %s and %s, but not %s", (range, one, others, outside) => {
  for (const version of [one, ...others.split(" ")])
    expect([version, contains(range, version)]).toEqual([version, true]);
  for (const version of outside.split(" ")) expect([version, contains(range, version)]).toEqual([version, false]);
});

test.each([
  ["latest", '"latest" is no range of versions'],
  ["", '"" is no range of versions'],
  ["^1 ||", '"" is no range of versions'],
  [">=1 and <2", '">=1 and <2" is no range'],
  ["1.2.3.4", "is no range"],
  [">", '">" is no range'],
  ["^1 ||| ^2", "is no range"],
  ["1.2.3 -", "is no range"],
  ["1".repeat(513), "is longer than 512"],
  ["1||".repeat(40), "has more than 32"],
  [">=1<2", "is no range"],
])("%j is refused with its reason", (range, reason) => {
  expect(contains(range, "1")).toContain(reason);
});

const part = fc.nat(4);
const version = fc.tuple(part, part, part).map((parts) => parts.join("."));
const partial = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("."));
const comparator = fc
  .tuple(fc.constantFrom(">=", "<", "^", "~", "<=", ">", "="), partial)
  .map((parts) => parts.join(""));
const group = fc.oneof(
  fc.array(comparator, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(" ")),
  fc.tuple(partial, partial).map((parts) => parts.join(" - ")),
  partial.map((text) => (text.split(".").length < 3 ? `${text}.x` : text)),
);
const range = fc.array(group, { minLength: 1, maxLength: 3 }).map((groups) => groups.join(" || "));

test("ranges of whole releases are the runtime's", () => {
  fc.assert(
    fc.property(range, version, (text, release) => {
      expect([text, release, contains(text, release)]).toEqual([text, release, Bun.semver.satisfies(release, text)]);
    }),
    { numRuns: 10_000 },
  );
});
