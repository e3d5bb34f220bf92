import type { Digest } from "../../reference/digest.ts";
import type { RegistryHost } from "../../reference/host.ts";
import type { Repository, Tag } from "../../reference/repository.ts";
import type { ContentIndex, HeldTag, Place } from "../../store/content-index.ts";
import type { Events } from "./events.ts";
import { nameOf } from "./image.ts";
import type { Keeping } from "./keeping.ts";

/** One tag as it was last seen. `held`: its manifest is here, and not only what a HEAD told of it. */
export interface TagLine {
  readonly name: string;
  readonly upstream: RegistryHost;
  readonly repository: Repository;
  readonly tag: Tag;
  readonly digest: Digest;
  readonly manifestBytes: number | undefined;
  readonly checkedAtMs: number;
  readonly ageMs: number;
  readonly held: boolean;
}

/** What is held in all, and how many of the tags were listed. */
export interface TagTotals {
  readonly tags: number;
  readonly heldTags: number;
  readonly heldManifests: number;
  readonly heldBlobs: number;
  readonly heldBytes: number;
}

/** One run of rows in their order, and which of them are meant. */
export interface TagRange {
  readonly after: { readonly place: Place; readonly tag: string } | undefined;
  /** True up to the end of the run. */
  covers(tag: HeldTag): boolean;
  includes(tag: HeldTag): boolean;
}

const pageRows = 200;

/** Held tags in order of name, page by page. `prefix` is the beginning of `upstream/repository:tag`. */
export async function* list(keeping: Keeping, prefix: string, signal: AbortSignal): Events<TagLine, TagTotals> {
  const { index, nowMs } = keeping;
  let tags = 0;
  for await (const held of tagsIn(index, prefixRange(prefix))) {
    if (signal.aborted) return;
    tags++;
    yield { kind: "result", ...lineOf(held, nowMs()) };
  }
  const counts = await index.counts();
  const sizes = await index.sizes();
  yield {
    kind: "summary",
    outcome: "clean",
    tags,
    heldTags: counts.tags,
    heldManifests: counts.manifests,
    heldBlobs: counts.blobs,
    heldBytes: [...sizes.values()].reduce((sum, sizeBytes) => sum + sizeBytes, 0),
  };
}

/** The tags of a range, in order, with one page in memory. */
export async function* tagsIn(index: ContentIndex, range: TagRange): AsyncGenerator<HeldTag, void, void> {
  let cursor = range.after;
  for (;;) {
    const page = await index.tagsAfter(cursor, pageRows);
    for (const held of page) {
      if (!range.covers(held)) return;
      if (range.includes(held)) yield held;
    }
    const last = page.at(-1);
    if (last === undefined || page.length < pageRows) return;
    cursor = { place: last.place, tag: last.tag };
  }
}

/** All tags of one repository. */
export function placeRange(place: Place): TagRange {
  const covers = (held: HeldTag): boolean => isAt(held, place);
  return { after: { place, tag: "" }, covers, includes: () => true };
}

/** The run that the beginning of `upstream/repository:tag` stands for; "" is everything. */
function prefixRange(prefix: string): TagRange {
  const slash = prefix.indexOf("/");
  const upstream = (slash < 0 ? prefix : prefix.slice(0, slash)) as RegistryHost;
  const rest = slash < 0 ? "" : prefix.slice(slash + 1);
  const colon = rest.indexOf(":");
  // What was typed is only compared with names that were parsed, so it may be anything.
  const place = { upstream, repository: (colon < 0 ? rest : rest.slice(0, colon)) as Repository };
  if (colon >= 0) {
    const tag = rest.slice(colon + 1);
    return { ...placeRange(place), includes: (held) => held.tag.startsWith(tag) };
  }
  const covers = (held: HeldTag): boolean => `${held.place.upstream}/${held.place.repository}`.startsWith(prefix);
  return { after: { place, tag: "" }, covers, includes: () => true };
}

function isAt({ place }: HeldTag, { upstream, repository }: Place): boolean {
  return place.upstream === upstream && place.repository === repository;
}

function lineOf({ place, tag, digest, sizeBytes, checkedAtMs, held }: HeldTag, nowMs: number): TagLine {
  const ageMs = Math.max(0, nowMs - checkedAtMs);
  return { name: nameOf(place, tag), ...place, tag, digest, manifestBytes: sizeBytes, checkedAtMs, ageMs, held };
}
