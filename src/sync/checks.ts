import { formatReference, type Reference } from "../reference/reference.ts";
import type { Repository, Tag } from "../reference/repository.ts";
import { knownCopies, settleCopies, type ImageCopy } from "./copies.ts";
import type { SyncEntry } from "./plan-input.ts";
import type { Read, ReadEntry, Reading } from "./reading.ts";
import { mapRepository } from "./target.ts";
import { backupOf, variablesOf } from "./template.ts";
import { needsTagList } from "./tags.ts";

/** Checks what several values of an entry, and several entries, say together, as far as it is known without asking a registry. */
export function checkTogether(reading: Reading, read: Read): void {
  const { findings } = reading;
  const copies: ImageCopy[] = [];
  if (read.entries.length === 0) findings.warning([], "has no entries: nothing is copied");
  for (const placed of read.entries) {
    checkTags(reading, read, placed);
    if (!checkTarget(reading, read, placed)) continue;
    checkBackup(reading, read, placed);
    const known = knownCopies(placed.entry);
    if ("reason" in known) findings.problem(placed.targetPath, `makes a name that cannot be: ${known.reason}`);
    else copies.push(...known);
  }
  for (const { path, message } of settleCopies(copies).problems) {
    const placed = read.entries.find(({ entry }) => entry.at.path === path);
    findings.problem(placed?.path ?? [], message);
  }
}

/** False when nothing more can be said of where the entry's images go. */
function checkTarget({ findings }: Reading, { keys }: Read, { entry, targetPath }: ReadEntry): boolean {
  const { source, target, images, platforms } = entry;
  let isSound = true;
  const say = (message: string): void => {
    findings.problem(targetPath, message);
    isSound = false;
  };
  if (source.kind === "registry" && target.rest === "none") {
    say("must end in /** so that every repository has a place of its own");
  }
  const namesTag = target.tag !== undefined && variablesOf(target.tag).has("tag");
  if (images.kind === "tags" && target.tag !== undefined && !namesTag) {
    say("must have {tag} in its tag: all tags would land on one");
  }
  if (images.kind !== "one" || images.tag !== undefined) return isSound;
  if (namesTag) say(`has {tag} in its tag, and ${keys.from} has none`);
  if (target.tag === undefined && platforms.kind !== "all") {
    say(`needs a tag: with ${keys.platforms} the digest of ${keys.from} is not kept`);
  }
  return isSound;
}

function checkTags({ findings }: Reading, { keys }: Read, { entry, path }: ReadEntry): void {
  const { images } = entry;
  if (images.kind === "one") {
    if (entry.delete)
      findings.problem([...path, keys.delete], `is for a whole repository; ${keys.from} names one image`);
    return;
  }
  for (const tag of images.choice.list) {
    const isSkipped = images.choice.filters.some(({ skip }) => skip.some((pattern) => pattern.matches(tag)));
    if (isSkipped) findings.problem([...path, keys.tags], `lists ${tag} and skips it; take it out of one of the two`);
  }
}

/** A moment and names to try a template with: what it makes of these, it makes of others. */
const SOME_TIME_MS = Date.UTC(2001, 1, 3, 4, 5, 6);
const someRepository = "repository" as Repository;
const someTag = "tag" as Tag;

function checkBackup({ findings }: Reading, { keys }: Read, { entry, path }: ReadEntry): void {
  if (entry.backup === undefined) return;
  const target = someTarget(entry);
  const backup = backupOf(entry.backup, target, SOME_TIME_MS);
  const at = [...path, keys.backup];
  if ("reason" in backup) return findings.problem(at, backup.reason);
  if (formatReference(backup) === formatReference(target)) findings.problem(at, "is what would be overwritten itself");
  const several =
    entry.images.kind === "tags" && (needsTagList(entry.images.choice) || entry.images.choice.list.length > 1);
  if (several && !variablesOf(entry.backup).has("tag")) {
    findings.warning(at, "has no tag in it: each tag that is overwritten also overwrites the backup of the one before");
  }
}

function someTarget({ source, target, images }: SyncEntry): Reference {
  const repository = mapRepository(target, source.kind === "repository" ? source.repository : someRepository);
  const tag = images.kind === "one" && images.tag !== undefined ? images.tag : someTag;
  return {
    host: target.host,
    repository: typeof repository === "string" ? repository : someRepository,
    tag,
    digest: undefined,
  };
}

/** The registries that the entries name, backups among them. */
export function hostsOf(entries: readonly ReadEntry[]): ReadonlySet<Reference["host"]> {
  return new Set(
    entries.flatMap(({ entry }) => {
      const backup = entry.backup === undefined ? undefined : backupOf(entry.backup, someTarget(entry), SOME_TIME_MS);
      const kept = backup === undefined || "reason" in backup ? [] : [backup.host];
      return [entry.source.host, entry.target.host, ...kept];
    }),
  );
}
