/** A tag read as a version: `v1.31.0`, `3.9`, `20250101`, `1.2.3-rc.1`. What is left out is 0. */
export interface Version {
  readonly parts: readonly number[];
  /** Identifiers behind the first dash; none for a release. Semantic Versioning 2.0.0, 9. */
  readonly prerelease: readonly string[];
}

/** More parts are no version that anybody counts by. */
const MAX_PARTS = 8;
/** 2^53 has sixteen digits: more cannot be compared exactly. */
const MAX_DIGITS = 15;

/** Reads `[v]N[.N…][-prerelease][+build]`; leading zeros are allowed, build says nothing. `undefined` for what is no version. */
export function parseVersion(text: string): Version | undefined {
  const plus = text.indexOf("+");
  const named = plus < 0 ? text : text.slice(0, plus);
  const dash = named.indexOf("-");
  const numbers = (dash < 0 ? named : named.slice(0, dash)).replace(/^v/, "").split(".");
  if (numbers.length > MAX_PARTS || !numbers.every(isNumber)) return undefined;
  const prerelease = dash < 0 ? [] : named.slice(dash + 1).split(".");
  if (!prerelease.every(isIdentifier)) return undefined;
  return { parts: numbers.map(Number), prerelease };
}

/** Negative, 0 or positive as `a` is before, the same as or behind `b`. Semantic Versioning 2.0.0, 11; missing parts are 0. */
export function compareVersions(a: Version, b: Version): number {
  return compareParts(a.parts, b.parts) || comparePrereleases(a.prerelease, b.prerelease);
}

function compareParts(a: readonly number[], b: readonly number[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function comparePrereleases(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return b.length - a.length;
  for (const [index, identifier] of a.entries()) {
    const other = b[index];
    if (other === undefined) return 1;
    const difference = compareIdentifiers(identifier, other);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

function compareIdentifiers(a: string, b: string): number {
  const numbers = [a, b].map((text) => (isDigits(text) ? text.replace(/^0+(?=.)/, "") : undefined));
  const [first, second] = numbers;
  if (first === undefined && second === undefined) return compareTexts(a, b);
  if (first === undefined || second === undefined) return first === undefined ? 1 : -1;
  return first.length - second.length || compareTexts(first, second);
}

function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function isNumber(text: string): boolean {
  return text.length <= MAX_DIGITS && isDigits(text);
}

function isDigits(text: string): boolean {
  return /^[0-9]+$/.test(text);
}

function isIdentifier(text: string): boolean {
  return /^[0-9A-Za-z-]+$/.test(text);
}
