import type { Descriptor } from "../manifest/manifest.ts";
import type { Digest } from "../reference/digest.ts";
import type { Tag } from "../reference/repository.ts";
import { isTagOf, namesFor, nameOf, type RepositoryName } from "./image-name.ts";
import { type IndexEntry, type IndexFile, newEntry } from "./index-json.ts";

/** What is to be done to the rows of an index. */
export type IndexChange =
  /** A name now means this manifest. */
  | {
      readonly kind: "name";
      readonly within: RepositoryName | undefined;
      readonly tag: Tag;
      readonly descriptor: Descriptor;
    }
  /** A manifest without a name; it needs no row when another one has it as a child. */
  | { readonly kind: "keep"; readonly descriptor: Descriptor }
  | { readonly kind: "drop-name"; readonly within: RepositoryName | undefined; readonly tag: Tag }
  | { readonly kind: "drop-manifest"; readonly digest: Digest };

/** The rows after the changes; rows that nothing was said about stay. `reached` are manifests that others have as children. */
export function changeIndex(
  index: IndexFile,
  changes: readonly IndexChange[],
  reached: ReadonlySet<Digest>,
): IndexFile {
  return { ...index, entries: changes.reduce((entries, change) => apply(entries, change, reached), index.entries) };
}

function apply(
  entries: readonly IndexEntry[],
  change: IndexChange,
  reached: ReadonlySet<Digest>,
): readonly IndexEntry[] {
  switch (change.kind) {
    case "name": {
      const { within, tag, descriptor } = change;
      const others = entries.filter((entry) => !isReplaced(entry, change));
      return [...others, newEntry(descriptor, namesFor(within, tag))];
    }
    case "keep": {
      const { descriptor } = change;
      const isThere = entries.some((entry) => entry.descriptor.digest === descriptor.digest);
      return isThere || reached.has(descriptor.digest) ? entries : [...entries, newEntry(descriptor, {})];
    }
    case "drop-name":
      return entries.filter((entry) => !isSameName(entry, change.within, change.tag));
    case "drop-manifest":
      return entries.filter((entry) => entry.descriptor.digest !== change.digest);
  }
}

/** The row that has the name already, and one that keeps the manifest without a name. */
function isReplaced(entry: IndexEntry, change: Extract<IndexChange, { readonly kind: "name" }>): boolean {
  if (isSameName(entry, change.within, change.tag)) return true;
  return nameOf(entry) === undefined && entry.descriptor.digest === change.descriptor.digest;
}

/** A bare tag and the same tag in a repository are two names. */
function isSameName(entry: IndexEntry, within: RepositoryName | undefined, tag: Tag): boolean {
  if (within !== undefined) return isTagOf(entry, within, tag);
  return nameOf(entry)?.repository === undefined && isTagOf(entry, undefined, tag);
}
