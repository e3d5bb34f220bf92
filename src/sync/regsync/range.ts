import type { RangeRefusal, VersionRange } from "../range.ts";
import { compareVersions, parseVersion, type Version } from "../version.ts";

type Test = (version: Version) => boolean;

/**
 * A range as regsync has them: comparators with blanks between, no commas and no alternatives. A part that is missing is 0, `~1` is
 * `>=1.0.0 <1.1.0`, and prereleases are in a range like any other version.
 */
export function parseRegsyncRange(text: string): RangeRefusal | VersionRange {
  const tests: Test[] = [];
  for (const part of text.trim().split(/\s+/)) {
    const [, operator = "", bound = ""] = /^(>=|<=|>|<|=|\^|~)?(.*)$/.exec(part) ?? [];
    const version = parseVersion(bound);
    if (version === undefined) return { reason: `"${part}" is no comparator such as >=1.28, <2, ^1.2 or ~1.30` };
    tests.push(testOf(operator, version));
  }
  return { text, contains: (version) => tests.every((test) => test(version)) };
}

function testOf(operator: string, bound: Version): Test {
  switch (operator) {
    case ">=":
      return (version) => compareVersions(version, bound) >= 0;
    case "<=":
      return (version) => compareVersions(version, bound) <= 0;
    case ">":
      return (version) => compareVersions(version, bound) > 0;
    case "<":
      return (version) => compareVersions(version, bound) < 0;
    case "^":
      return between(bound, caretEnd(bound));
    case "~":
      return between(bound, [bound.parts[0] ?? 0, (bound.parts[1] ?? 0) + 1]);
    default:
      return (version) => compareVersions(version, bound) === 0;
  }
}

function between(from: Version, end: readonly number[]): Test {
  const to: Version = { parts: end, prerelease: [] };
  return (version) => compareVersions(version, from) >= 0 && compareVersions(version, to) < 0;
}

function caretEnd({ parts: [major = 0, minor = 0, patch = 0] }: Version): readonly number[] {
  if (major > 0) return [major + 1];
  return minor > 0 ? [0, minor + 1] : [0, 0, patch + 1];
}
