import { formatReference, type Reference } from "../reference/reference.ts";
import { parseTag, type Repository, type Tag } from "../reference/repository.ts";
import type { Problem } from "../config/problem.ts";
import type { SyncEntry } from "./plan-input.ts";
import { mapRepository } from "./target.ts";
import { needsCatalog } from "./repositories.ts";
import { chooseTags, needsTagList } from "./tags.ts";

/** One image from there to there. The entry says how. */
export interface ImageCopy {
  readonly entry: SyncEntry;
  readonly source: Reference;
  readonly target: Reference;
}

/** The copies of one repository of an entry, given the tags that were chosen; none for an entry that names one image. */
export function copiesOf(
  entry: SyncEntry,
  repository: Repository,
  tags: readonly Tag[],
): readonly ImageCopy[] | { readonly reason: string } {
  const { source, target, images } = entry;
  const mapped = mapRepository(target, repository);
  if (typeof mapped !== "string") return mapped;
  if (source.kind === "registry" && source.host === target.host && isBelow(repository, target.path)) {
    return {
      reason: `${repository} lies where the copies go, and would be copied into itself with every run; skip it`,
    };
  }
  const chosen = images.kind === "one" ? [images] : tags.map((tag) => ({ tag, digest: undefined }));
  const copies: ImageCopy[] = [];
  for (const { tag, digest } of chosen) {
    const named = targetTag(entry, tag);
    if (named !== undefined && typeof named !== "string") return named;
    copies.push({
      entry,
      source: { host: source.host, repository, tag, digest },
      target: { host: target.host, repository: mapped, tag: named, digest: named === undefined ? digest : undefined },
    });
  }
  return copies;
}

function isBelow(repository: Repository, path: string): boolean {
  return path !== "" && repository.startsWith(`${path}/`);
}

/** What a tag of the source is called at the target. */
export function targetTag({ target }: SyncEntry, tag: Tag | undefined): Tag | { readonly reason: string } | undefined {
  if (target.tag === undefined) return tag;
  const text = target.tag.map((part) => (part.kind === "text" ? part.text : (tag ?? ""))).join("");
  return parseTag(text) ?? { reason: `"${text}" is not a tag` };
}

/** The copies of an entry that are known without asking a registry; none where lists are needed first. */
export function knownCopies(entry: SyncEntry): readonly ImageCopy[] | { readonly reason: string } {
  const { source, images } = entry;
  if (images.kind === "tags" && needsTagList(images.choice)) return [];
  if (source.kind === "registry" && needsCatalog(source.repositories)) return [];
  const repositories = source.kind === "repository" ? [source.repository] : source.repositories.list;
  const chosen = images.kind === "one" ? undefined : chooseTags(images.choice, undefined);
  const tags = chosen?.kind === "chosen" ? chosen.names : [];
  const copies: ImageCopy[] = [];
  for (const repository of repositories) {
    const some = copiesOf(entry, repository, tags);
    if ("reason" in some) return some;
    copies.push(...some);
  }
  return copies;
}

/** Copies of which each target comes once, and what is wrong with the others. Nothing may be written while there is a problem. */
export interface SettledCopies {
  readonly copies: readonly ImageCopy[];
  readonly problems: readonly Problem[];
}

/** Two sources that land on one target are a problem, as is an image that lands on itself; the same copy twice is one. */
export function settleCopies(copies: readonly ImageCopy[]): SettledCopies {
  const byTarget = new Map<string, ImageCopy>();
  const problems: Problem[] = [];
  for (const copy of copies) {
    const target = formatReference(copy.target);
    const first = byTarget.get(target);
    if (formatReference(copy.source) === target) {
      problems.push({ ...copy.entry.at, message: `would copy ${target} onto itself` });
    } else if (first === undefined) {
      byTarget.set(target, copy);
    } else if (!isSameCopy(first, copy)) {
      problems.push({ ...copy.entry.at, message: describeCollision(first, copy) });
    }
  }
  return { copies: [...byTarget.values()], problems };
}

function isSameCopy(a: ImageCopy, b: ImageCopy): boolean {
  if (formatReference(a.source) !== formatReference(b.source)) return false;
  return a.entry === b.entry || JSON.stringify(a.entry.platforms) === JSON.stringify(b.entry.platforms);
}

function describeCollision(first: ImageCopy, second: ImageCopy): string {
  const { file, line, path } = first.entry.at;
  const place = line === 0 ? file : `${file}:${line}`;
  const [a, b] = [first, second].map(({ source }) => formatReference(source));
  const what = a === b ? `${b} with other platforms` : b;
  return `puts ${what} at ${formatReference(second.target)}, where ${path} (${place}) puts ${a}; nothing is copied until one of them goes elsewhere`;
}
