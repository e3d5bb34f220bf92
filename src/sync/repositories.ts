import type { Repository } from "../reference/repository.ts";
import type { Pattern } from "./pattern.ts";
import type { Chosen } from "./tags.ts";

/** Which repositories of a registry are meant: those of `list`, and those that match and are not skipped. */
export interface RepositoryChoice {
  readonly list: readonly Repository[];
  /** Absent: nothing but the list. Empty: every repository. */
  readonly match: readonly Pattern[] | undefined;
  readonly skip: readonly Pattern[];
}

/** True when the choice cannot be made without the registry's list of repositories. */
export function needsCatalog({ match }: RepositoryChoice): boolean {
  return match !== undefined;
}

/** Chooses among the repositories that the registry has, in their order; `undefined` where its list was not asked for. */
export function chooseRepositories(
  choice: RepositoryChoice,
  available: readonly Repository[] | undefined,
): Chosen<Repository> {
  const { list, match, skip } = choice;
  if (available === undefined) {
    if (list.length === 0) return { kind: "nothing", reason: "no repositories are listed" };
    return { kind: "chosen", names: [...new Set(list)], absent: [] };
  }
  const there = new Set(available);
  const listed = new Set(list);
  const isMeant = (name: Repository): boolean =>
    match !== undefined &&
    !skip.some((pattern) => pattern.matches(name)) &&
    (match.length === 0 || match.some((pattern) => pattern.matches(name)));
  const names = [...there].filter((name) => listed.has(name) || isMeant(name));
  if (names.length > 0) return { kind: "chosen", names, absent: list.filter((name) => !there.has(name)) };
  return { kind: "nothing", reason: reasonOf(available.length) };
}

function reasonOf(count: number): string {
  if (count === 0) return "the registry lists no repositories";
  return count === 1
    ? "its one repository is not meant"
    : `none of its ${count.toLocaleString("en")} repositories is meant`;
}
