import type { Tag } from "../reference/repository.ts";
import { targetTag } from "./copies.ts";
import { compileGlob, type Pattern } from "./pattern.ts";
import type { SyncEntry } from "./plan-input.ts";
import type { Template } from "./template.ts";

/** An entry that copies into a repository, and every tag that its source has now, chosen or not. */
export interface DeletionSource {
  readonly entry: SyncEntry;
  readonly sourceTags: readonly Tag[];
}

/**
 * The tags of one target repository to delete: those that the sources of all entries that copy there lack, where one of the entries asks
 * for it. Never backups, never tags that name a digest, and nothing at all while a source has no tags: that is a fault sooner than a wish.
 */
export function tagsToDelete(targetTags: readonly Tag[], sources: readonly DeletionSource[]): readonly Tag[] {
  if (!sources.some(({ entry }) => entry.delete)) return [];
  if (sources.some(({ sourceTags }) => sourceTags.length === 0)) return [];
  const kept = new Set(sources.flatMap(keptTags));
  const backups = sources.map(({ entry }) => (entry.backup === undefined ? undefined : backupPattern(entry.backup)));
  return targetTags.filter(
    (tag) => !kept.has(tag) && !digestTag.test(tag) && !backups.some((pattern) => pattern?.matches(tag)),
  );
}

/** `sha256-HEX`, and `.sig`, `.att`, `.sbom` behind it: what lists referrers and signatures where there is no API for it. */
const digestTag = /^sha(256|512)-[0-9a-f]{64}/;

function keptTags({ entry, sourceTags }: DeletionSource): readonly Tag[] {
  const named = entry.images.kind === "one" && entry.images.tag !== undefined ? [entry.images.tag] : [];
  return [...sourceTags, ...named].flatMap((tag) => {
    const mapped = targetTag(entry, tag);
    return typeof mapped === "string" ? [mapped] : [];
  });
}

/** What a backup's tag can look like. One that is kept elsewhere has `/` and `:` in it, which no tag has. */
function backupPattern(template: Template): Pattern | undefined {
  const pattern = compileGlob(template.map((part) => (part.kind === "text" ? part.text : "**")).join(""));
  return "reason" in pattern ? undefined : pattern;
}
