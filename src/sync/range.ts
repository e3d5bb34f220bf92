import { compareVersions, parseVersion, type Version } from "./version.ts";

/** Says of a version whether it is one of those that were meant. */
export interface VersionRange {
  /** As it was written. */
  readonly text: string;
  contains(version: Version): boolean;
}

/** Why a text is no range, in words that complete a sentence about it. */
export interface RangeRefusal {
  readonly reason: string;
}

type Test = (version: Version) => boolean;

/** Comparators that must all hold. Prereleases are in it only when one of them names one. */
interface Group {
  readonly tests: readonly Test[];
  readonly namesPrerelease: boolean;
}

/** A version of a comparator. `given` counts the parts that were written and are no `x`. */
interface Bound {
  readonly version: Version;
  readonly given: number;
}

const MAX_LENGTH = 512;
const MAX_GROUPS = 32;
const MAX_PARTS = 3;
const comparator =
  /^\s*(=|!=|>=|=>|<=|=<|>|<|~>|~|\^)?\s*(v?[0-9xX*]+(?:\.[0-9xX*]+){0,2}(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?)(?=[\s,]|$)[\s,]*/;
const hyphen = /^\s*(v?[0-9][^\s]*)\s+-\s+(v?[0-9][^\s]*)\s*$/;

/**
 * A range as package managers write it: comparators (`>=1.28 <2`, `^1.2`, `~1.30`, `1.x`, `!=1.3`, `1.2 - 1.4`) side by side or with
 * commas, alternatives behind `||`. A part that is missing is any; versions of more than three parts are in no range.
 */
export function parseRange(text: string): VersionRange | RangeRefusal {
  if (text.length > MAX_LENGTH) return { reason: `is longer than ${MAX_LENGTH} characters` };
  const alternatives = text.split("||");
  if (alternatives.length > MAX_GROUPS) return { reason: `has more than ${MAX_GROUPS} alternatives` };
  const groups: Group[] = [];
  for (const alternative of alternatives) {
    const group = parseGroup(alternative);
    if (group === undefined) {
      return { reason: `"${alternative.trim()}" is no range of versions such as ">=1.28 <2", "~1.30" or "^1.2 || ^3"` };
    }
    groups.push(group);
  }
  return {
    text,
    contains: (version) => version.parts.length <= MAX_PARTS && groups.some((group) => holds(group, version)),
  };
}

function holds({ tests, namesPrerelease }: Group, version: Version): boolean {
  if (version.prerelease.length > 0 && !namesPrerelease) return false;
  return tests.every((test) => test(version));
}

function parseGroup(text: string): Group | undefined {
  const span = hyphen.exec(text);
  const written = span === null ? text : `>=${span[1]} <=${span[2]}`;
  const tests: Test[] = [];
  let namesPrerelease = false;
  let rest = written;
  while (rest.trim() !== "" || tests.length === 0) {
    const [whole = "", operator = "", versionText = ""] = comparator.exec(rest) ?? [];
    const bound = parseBound(versionText);
    if (bound === undefined) return undefined;
    namesPrerelease ||= bound.version.prerelease.length > 0;
    tests.push(testOf(operator, bound));
    rest = rest.slice(whole.length);
  }
  return { tests, namesPrerelease };
}

function parseBound(text: string): Bound | undefined {
  const [numbers = "", ...prerelease] = text.split("-");
  const parts = numbers.split(".");
  const wild = parts.findIndex((part) => /^v?[xX*]$/.test(part));
  const given = wild < 0 ? parts.length : wild;
  const kept = wild < 0 ? text : [[...parts.slice(0, wild), "0"].join("."), ...prerelease].join("-");
  const version = parseVersion(kept);
  return version === undefined ? undefined : { version, given };
}

function testOf(operator: string, bound: Bound): Test {
  const { version, given } = bound;
  switch (operator) {
    case ">=":
    case "=>":
      return atLeast(version);
    case "<":
      return below(version);
    case ">":
      return given < MAX_PARTS ? atLeast(above(bound, given)) : (other) => compareVersions(other, version) > 0;
    case "<=":
    case "=<":
      return given < MAX_PARTS ? below(above(bound, given)) : (other) => compareVersions(other, version) <= 0;
    case "^":
      return within(bound, caretParts(bound));
    case "~":
    case "~>":
      return within(bound, Math.min(given, 2));
    case "!=": {
      const same = sameAs(bound);
      return (other) => !same(other);
    }
    default:
      return sameAs(bound);
  }
}

function sameAs(bound: Bound): Test {
  if (bound.given < MAX_PARTS) return within(bound, bound.given);
  return (other) => compareVersions(other, bound.version) === 0;
}

/** From the bound on, up to where one of its first `count` parts changes. */
function within(bound: Bound, count: number): Test {
  const from = atLeast(bound.version);
  if (count === 0) return from;
  const to = below(above(bound, count));
  return (other) => from(other) && to(other);
}

/** How many leading parts `^` keeps: up to the first that is not 0, or all that were given. */
function caretParts({ version, given }: Bound): number {
  const first = version.parts.slice(0, given).findIndex((part) => part !== 0);
  return first < 0 ? given : first + 1;
}

/** The lowest version, a prerelease, that has the part at `count` raised by one. */
function above({ version }: Bound, count: number): Version {
  if (count === 0) return { parts: [Number.POSITIVE_INFINITY], prerelease: [] };
  const parts = version.parts.slice(0, count);
  return { parts: [...parts.slice(0, -1), (parts[count - 1] ?? 0) + 1], prerelease: ["0"] };
}

function atLeast(version: Version): Test {
  return (other) => compareVersions(other, version) >= 0;
}

function below(version: Version): Test {
  return (other) => compareVersions(other, version) < 0;
}
