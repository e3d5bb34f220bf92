import type { ImageSource } from "../copy/ends.ts";
import { isSignatureTag } from "../manifest/referrer-tags.ts";
import type { Digest } from "../reference/digest.ts";
import { imageSource } from "./end.ts";
import { isCalled, isSameRepository, nameOf, type RepositoryName } from "./image-name.ts";
import type { IndexEntry } from "./index-json.ts";
import { type ListedImage, listImages } from "./listing.ts";
import type { Shelf } from "./shelf.ts";

/** An image that was found by what people call it. */
interface FoundImage {
  readonly kind: "found";
  readonly digest: Digest;
  /** Its name as it stands there; absent when it has none. */
  readonly name: string | undefined;
}

/** Why no image is meant, in words, with the names that are there. */
interface NotOneImage {
  readonly kind: "none" | "several";
  readonly reason: string;
}

/** An image layout or archive that is open to be read. */
export interface ImageSet extends AsyncDisposable {
  readonly name: string;
  /**
   * The image that a name means, as it is written behind the path; without one, the only image that is there, beside which
   * signatures and their like do not count.
   */
  find(name: string | undefined): FoundImage | NotOneImage;
  /** The repositories whose tags are there; `undefined` stands for tags without one, and then for all that there is. */
  readonly repositories: readonly (RepositoryName | undefined)[];
  /** What is in it, a row for each name. Throws a `Failure` for a manifest with wrong bytes. */
  list(signal: AbortSignal): Promise<readonly ListedImage[]>;
  /** To copy from: the images of one repository, or all of them. */
  source(within: RepositoryName | undefined): ImageSource;
}

const namesMax = 20;

/** Makes a set of a shelf; `close` lets go of what it reads from. */
export function imageSet(shelf: Shelf, close: () => Promise<void>): ImageSet {
  return {
    name: shelf.name,
    list: (signal) => listImages(shelf, signal),
    find: (name) => find(shelf, name),
    repositories: repositoriesOf(shelf.entries),
    source: (within) => imageSource(shelf, within),
    [Symbol.asyncDispose]: close,
  };
}

function find({ name: place, entries }: Shelf, text: string | undefined): FoundImage | NotOneImage {
  const called = text === undefined ? entries : entries.filter((entry) => isCalled(entry, text));
  // The one that is called exactly so, or the only one with a name, is meant, whatever else there is.
  const preferred = called.filter((entry) => (text === undefined ? isNamedImage(entry) : isExactly(entry, text)));
  const meant = preferred.length > 0 ? preferred : called;
  const [first] = meant;
  if (first === undefined) return { kind: "none", reason: noneReason(place, entries, text) };
  if (meant.some(({ descriptor }) => descriptor.digest !== first.descriptor.digest)) {
    const which = text === undefined ? "several images" : `several images called ${text}`;
    return { kind: "several", reason: `${place} has ${which}: ${names(meant)}; say which one` };
  }
  return { kind: "found", digest: first.descriptor.digest, name: nameOf(first)?.text };
}

function noneReason(place: string, entries: readonly IndexEntry[], text: string | undefined): string {
  if (entries.length === 0) return `${place} has no image`;
  return text === undefined
    ? `${place} has no image`
    : `${place} has no image called ${text}; it has ${names(entries)}`;
}

/** True for what has a name and is no signature or the like of an image beside it. */
function isNamedImage(entry: IndexEntry): boolean {
  const name = nameOf(entry);
  return name !== undefined && (name.tag === undefined || !isSignatureTag(name.tag));
}

function repositoriesOf(entries: readonly IndexEntry[]): readonly (RepositoryName | undefined)[] {
  const names = entries.flatMap((entry) => nameOf(entry) ?? []).filter(({ tag }) => tag !== undefined);
  if (names.some(({ repository }) => repository === undefined)) return [undefined];
  return names
    .map(({ repository }) => repository)
    .filter((name, at, all) => all.findIndex((other) => isSameRepository(name, other)) === at);
}

function isExactly(entry: IndexEntry, text: string): boolean {
  return entry.refName === text || entry.imageName === text;
}

function names(entries: readonly IndexEntry[]): string {
  const all = entries.map((entry) => nameOf(entry)?.text ?? entry.descriptor.digest);
  const more = all.length > namesMax ? `, and ${all.length - namesMax} more` : "";
  return `${all.slice(0, namesMax).join(", ")}${more}`;
}
