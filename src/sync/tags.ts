import type { Tag } from "../reference/repository.ts";
import type { Pattern } from "./pattern.ts";
import type { VersionRange } from "./range.ts";
import { compareVersions, parseVersion, type Version } from "./version.ts";

/** Which tags of a repository are meant: those of `list`, and those that any of `filters` lets through. */
export interface TagChoice {
  readonly list: readonly Tag[];
  readonly filters: readonly TagFilter[];
}

/** What a tag has to pass, in this order. A filter of nothing lets every tag through. */
export interface TagFilter {
  /** None of these may match. */
  readonly skip: readonly Pattern[];
  /** One of these must match, where there are some. */
  readonly match: readonly Pattern[];
  /** It must be a version in one of these, where there are some. */
  readonly ranges: readonly VersionRange[];
  /** Of what is left, so many of the highest versions. Alone, without `match` and `ranges`, prereleases are not counted. */
  readonly newest: number | undefined;
}

/** The filter that lets every tag through. */
export const everyTag: TagFilter = { skip: [], match: [], ranges: [], newest: undefined };

/** Names that were chosen; `absent` are those that were listed and are not there. Nothing is never silent: it has a reason. */
export type Chosen<T> =
  | { readonly kind: "chosen"; readonly names: readonly T[]; readonly absent: readonly T[] }
  | { readonly kind: "nothing"; readonly reason: string };

/** True when the choice cannot be made without the repository's list of tags. */
export function needsTagList({ filters }: TagChoice): boolean {
  return filters.length > 0;
}

/** Chooses among the tags that the source has, in their order; `undefined` where its list was not asked for. Each tag comes once. */
export function chooseTags(choice: TagChoice, available: readonly Tag[] | undefined): Chosen<Tag> {
  if (available === undefined) return chosen(choice.list, [], () => "no tags are listed");
  const there = new Set(available);
  const passed = new Set(choice.filters.flatMap((filter) => filtered(filter, [...there])));
  const listed = new Set(choice.list);
  const names = [...there].filter((tag) => listed.has(tag) || passed.has(tag));
  const absent = [...listed].filter((tag) => !there.has(tag));
  return chosen(names, absent, () => reasonOf(choice, available));
}

function chosen(names: readonly Tag[], absent: readonly Tag[], reason: () => string): Chosen<Tag> {
  return names.length === 0
    ? { kind: "nothing", reason: reason() }
    : { kind: "chosen", names: [...new Set(names)], absent };
}

interface Step {
  readonly name: string;
  readonly left: readonly Tag[];
}

function filtered(filter: TagFilter, available: readonly Tag[]): readonly Tag[] {
  return stepsOf(filter, available).at(-1)?.left ?? available;
}

/** What is left after each step that the filter has. */
function stepsOf({ skip, match, ranges, newest }: TagFilter, available: readonly Tag[]): readonly Step[] {
  const steps: Step[] = [];
  let left = available;
  const step = (name: string, keep: (tags: readonly Tag[]) => readonly Tag[]): void => {
    left = keep(left);
    steps.push({ name, left });
  };
  if (skip.length > 0) step("skip", (tags) => tags.filter((tag) => !skip.some((pattern) => pattern.matches(tag))));
  if (match.length > 0) step("match", (tags) => tags.filter((tag) => match.some((pattern) => pattern.matches(tag))));
  if (ranges.length > 0) step("semver", (tags) => tags.filter((tag) => isInRange(tag, ranges)));
  if (newest !== undefined) {
    const withPrereleases = match.length > 0 || ranges.length > 0;
    step("newest", (tags) => newestOf(tags, newest, withPrereleases));
  }
  return steps;
}

function isInRange(tag: Tag, ranges: readonly VersionRange[]): boolean {
  const version = parseVersion(tag);
  return version !== undefined && ranges.some((range) => range.contains(version));
}

/** The highest versions; of two spellings of one version the later text comes first. What is no version is left out. */
function newestOf(tags: readonly Tag[], count: number, withPrereleases: boolean): readonly Tag[] {
  const versions = tags.flatMap((tag): readonly (readonly [Tag, Version])[] => {
    const version = parseVersion(tag);
    return version === undefined || (version.prerelease.length > 0 && !withPrereleases) ? [] : [[tag, version]];
  });
  const ranked = versions.toSorted(([a, first], [b, second]) => compareVersions(second, first) || (a < b ? 1 : -1));
  return ranked.slice(0, count).map(([tag]) => tag);
}

function reasonOf({ list, filters }: TagChoice, available: readonly Tag[]): string {
  if (available.length === 0) return "the source has no tags";
  const total = available.length === 1 ? "its one tag" : `its ${available.length.toLocaleString("en")} tags`;
  const ends = filters.map((filter) => stepsOf(filter, available).find(({ left }) => left.length === 0)?.name);
  const names = [...new Set(ends.filter((name) => name !== undefined))];
  const reasons = names.map((name) => `${name} leaves none of ${total}`);
  return [...(list.length > 0 ? [`none of the listed tags is among ${total}`] : []), ...reasons].join(", and ");
}
