import { type Digest, parseDigest } from "../../reference/digest.ts";
import type { Tag } from "../../reference/repository.ts";
import type { Place } from "../../store/content-index.ts";
import type { Events } from "./events.ts";
import { type Image, nameOf, resolveImage } from "./image.ts";
import type { Keeping } from "./keeping.ts";
import { removePlace } from "./remove-place.ts";
import { absent, count, failed, type Removed, removeContent } from "./removed.ts";

/** What was taken away for one reference. */
export interface RemoveRow extends Removed {
  readonly reference: string;
  readonly name: string;
}

/** What was taken away in all. */
export interface RemoveTotals {
  readonly removed: number;
  readonly absent: number;
  readonly failed: number;
  readonly freedBytes: number;
}

/** What is to be removed: each reference alone, or all of the repositories that they name. */
export interface RemoveOptions {
  readonly all: boolean;
}

/**
 * Removes a tag, or a manifest or blob by digest, or with `all` a repository. Content that was seen elsewhere too stays
 * for the others; a digest alone is removed everywhere. Upstreams are not told.
 */
export async function* remove(
  keeping: Keeping,
  references: readonly string[],
  options: RemoveOptions,
  signal: AbortSignal,
): Events<RemoveRow, RemoveTotals> {
  const totals = { removed: 0, absent: 0, failed: 0, freedBytes: 0 };
  for (const reference of references) {
    if (signal.aborted) return;
    const row = await removeOne(keeping, reference, options, signal);
    keeping.manifests.forget();
    totals[row.status]++;
    totals.freedBytes += row.freedBytes;
    yield { kind: "result", ...row };
  }
  yield { kind: "summary", outcome: totals.failed + totals.absent > 0 ? "failed" : "clean", ...totals };
}

async function removeOne(
  keeping: Keeping,
  reference: string,
  { all }: RemoveOptions,
  signal: AbortSignal,
): Promise<RemoveRow> {
  const alone = parseDigest(reference);
  if (alone !== undefined) {
    const removed = all ? failed("--all takes repositories, not digests") : await removeEverywhere(keeping, alone);
    return { reference, name: alone, ...removed };
  }
  const image = resolveImage(keeping.registries, reference);
  if (image.kind === "refused") return { reference, name: reference, ...failed(image.reason) };
  if (!all) return { reference, name: image.name, ...(await removeImage(keeping, image)) };
  const name = nameOf(image.place);
  if (reference.includes("@") || hasTag(reference)) {
    return { reference, name, ...failed("--all takes repositories without tag or digest") };
  }
  return { reference, name, ...(await removePlace(keeping, image.place, signal)) };
}

function removeImage(keeping: Keeping, { place, tag, digest }: Image): Promise<Removed> {
  if (digest !== undefined) return removeAt(keeping, place, digest);
  return tag === undefined ? Promise.resolve(absent("it names nothing")) : removeTag(keeping, place, tag);
}

async function removeTag({ index }: Keeping, place: Place, tag: Tag): Promise<Removed> {
  const row = await index.tag(place, tag);
  if (row === undefined) return absent("no such tag is held");
  await index.removeTag(place, tag);
  const manifest = await index.manifestAt(place, row.digest);
  const stays =
    manifest === undefined
      ? `its manifest ${row.digest} was not held`
      : `its manifest stays held, as do its layers; remove them with rm ${nameOf(place, undefined, row.digest)} or rm --all ${nameOf(place)}`;
  return { status: "removed", what: "tag", freedBytes: 0, detail: `the tag is gone; ${stays}` };
}

/** Takes a digest from one place, and its content from the store when no other place has it. */
async function removeAt(keeping: Keeping, place: Place, digest: Digest): Promise<Removed> {
  const { index } = keeping;
  const blob = await index.blobAt(place, digest);
  const manifest = blob === undefined ? await index.manifestAt(place, digest) : undefined;
  if (blob === undefined && manifest === undefined) return absent("no such manifest or blob is held here");
  const tags = (await index.tagsOf(digest)).filter(({ place: at }) => nameOf(at) === nameOf(place)).length;
  await index.unlink(place, digest);
  const others = await index.placesOf(digest);
  const [other] = others;
  const what = blob === undefined ? "manifest" : "blob";
  const gone = tags === 0 ? "not held here any more" : `not held here any more, nor the ${count(tags, "tag")} for it`;
  if (other !== undefined) {
    const detail = `${gone}; its bytes stay for ${nameOf(other)}${others.length > 1 ? ` and ${others.length - 1} more` : ""}`;
    return { status: "removed", what, freedBytes: 0, detail };
  }
  const freedBytes = await removeContent(keeping, digest);
  const detail = what === "blob" ? gone : `${gone}; its layers stay until they are evicted or removed`;
  return { status: "removed", what, freedBytes, detail };
}

async function removeEverywhere(keeping: Keeping, digest: Digest): Promise<Removed> {
  const { index } = keeping;
  const what = (await index.blob(digest)) === undefined ? "manifest" : "blob";
  if (what === "manifest" && (await index.manifest(digest)) === undefined) return absent("no such content is held");
  const places = await index.placesOf(digest);
  const freedBytes = await removeContent(keeping, digest);
  const detail = `removed from ${count(places.length, "repository", "repositories")}`;
  return { status: "removed", what, freedBytes, detail };
}

function hasTag(reference: string): boolean {
  return reference.lastIndexOf(":") > reference.lastIndexOf("/");
}
