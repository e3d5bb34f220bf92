import type { RegistryHost } from "../reference/host.ts";
import { parseReference, type Reference } from "../reference/reference.ts";
import { parseTag, type Repository, type Tag } from "../reference/repository.ts";
import type { EntryNames, IndexEntry } from "./index-json.ts";

/** A repository of a registry: what full names in a layout begin with. */
export interface RepositoryName {
  readonly host: RegistryHost;
  readonly repository: Repository;
}

/** What the names of an entry say, as far as they are references. */
export interface ImageName {
  /** As it stands there: the full name where there is one. */
  readonly text: string;
  readonly repository: RepositoryName | undefined;
  readonly tag: Tag | undefined;
}

/**
 * Reads the names of an entry. containerd, docker and buildkit write the full name beside the tag; skopeo and podman one of
 * the two, as they were told; crane the full one. `undefined`: it has no name.
 */
export function nameOf(entry: IndexEntry): ImageName | undefined {
  const text = entry.imageName ?? entry.refName;
  if (text === undefined) return undefined;
  const tag = entry.imageName === undefined ? parseTag(text) : undefined;
  if (tag !== undefined) return { text, repository: undefined, tag };
  const reference = parseReference(text);
  if ("kind" in reference) return { text, repository: undefined, tag: undefined };
  return { text, repository: { host: reference.host, repository: reference.repository }, tag: reference.tag };
}

/** The annotations for a tag: the full name twice where a repository is given, so that containerd finds it; else the tag. */
export function namesFor(within: RepositoryName | undefined, tag: Tag): EntryNames {
  if (within === undefined) return { refName: tag };
  const full = fullName(within, tag);
  return { refName: full, imageName: full };
}

/** `HOST/REPOSITORY:TAG`. */
export function fullName(within: RepositoryName, tag: Tag): string {
  return `${formatRepositoryName(within)}:${tag}`;
}

/** `HOST/REPOSITORY`. */
export function formatRepositoryName({ host, repository }: RepositoryName): string {
  return `${host}/${repository}`;
}

/** True when an entry is the tag of this repository; of any, or of none, where no repository is given. */
export function isTagOf(entry: IndexEntry, within: RepositoryName | undefined, tag: Tag): boolean {
  const name = nameOf(entry);
  return name?.tag === tag && isWithin(name, within);
}

/** True when a name is of this repository; of any where none is given. */
export function isWithin({ repository }: ImageName, within: RepositoryName | undefined): boolean {
  return within === undefined || isSameRepository(repository, within);
}

/** True for one repository of one registry, and for none on both sides. */
export function isSameRepository(one: RepositoryName | undefined, other: RepositoryName | undefined): boolean {
  return one?.host === other?.host && one?.repository === other?.repository;
}

/** True when people may mean this entry by what they wrote: its name as it stands there, in another spelling, or its tag. */
export function isCalled(entry: IndexEntry, text: string): boolean {
  if (entry.refName === text || entry.imageName === text) return true;
  const name = nameOf(entry);
  if (name?.tag === undefined) return false;
  return name.repository === undefined ? name.tag === text : name.tag === text || sameReference(name, text);
}

function sameReference(name: ImageName, text: string): boolean {
  const reference: Reference | { readonly kind: "refused" } = parseReference(text);
  return !("kind" in reference) && reference.tag === name.tag && isWithin(name, reference);
}
