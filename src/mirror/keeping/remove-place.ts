import type { Digest } from "../../reference/digest.ts";
import type { Place } from "../../store/content-index.ts";
import { nameOf } from "./image.ts";
import type { Keeping } from "./keeping.ts";
import { placeRange, tagsIn } from "./list.ts";
import { absent, count, type Removed, removeContent } from "./removed.ts";

const pageRows = 200;

/** Tags, lists and links of a repository, and every content that no other repository has. */
export async function removePlace(keeping: Keeping, place: Place, signal: AbortSignal): Promise<Removed> {
  const { index } = keeping;
  let freedBytes = 0;
  let tags = 0;
  let contents = 0;
  let shared = 0;
  for await (const { tag } of tagsIn(index, placeRange(place))) {
    await index.removeTag(place, tag);
    tags++;
  }
  const lists = await removePages(keeping, place);
  for await (const digest of digestsAt(keeping, place)) {
    if (signal.aborted) break;
    await index.unlink(place, digest);
    contents++;
    if ((await index.placesOf(digest)).length > 0) shared++;
    else freedBytes += await removeContent(keeping, digest);
  }
  if (tags + lists + contents === 0) return absent("nothing of this repository is held");
  const kept = shared === 0 ? "" : `, ${shared} of which stay for other repositories`;
  const detail = `${count(tags, "tag")}, ${count(lists, "list")}, ${count(contents, "manifest or blob", "manifests and blobs")}${kept}`;
  return { status: "removed", what: "repository", freedBytes, detail };
}

async function* digestsAt({ index }: Keeping, place: Place): AsyncGenerator<Digest, void, void> {
  let after = "";
  for (;;) {
    const page = await index.linksAfter({ place, digest: after }, pageRows);
    for (const link of page) {
      if (nameOf(link.place) !== nameOf(place)) return;
      yield link.digest;
      after = link.digest;
    }
    if (page.length < pageRows) return;
  }
}

async function removePages({ index }: Keeping, place: Place): Promise<number> {
  let removed = 0;
  for (;;) {
    const page = await index.pagesAfter({ place, key: "" }, pageRows);
    const here = page.filter((held) => nameOf(held.place) === nameOf(place));
    for (const { key } of here) await index.removePage(place, key);
    removed += here.length;
    if (here.length < pageRows) return removed;
  }
}
