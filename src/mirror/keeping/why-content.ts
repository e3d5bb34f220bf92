import type { Digest } from "../../reference/digest.ts";
import type { BlobRow, Place } from "../../store/content-index.ts";
import type { HostedUse } from "../../store/hosted-index.ts";
import { freshMs } from "../quota.ts";
import { nameOf } from "./image.ts";
import type { Keeping } from "./keeping.ts";
import { maxSizeOf } from "./why-image.ts";

/** What is held under a digest, where it may be served, and what names it. */
export interface ContentState {
  readonly digest: Digest;
  readonly what: "manifest" | "blob";
  readonly mediaType: string | undefined;
  readonly sizeBytes: number;
  /** Held, but not seen in the repository that was asked for: its upstream is asked before it is served there. */
  readonly isElsewhere: boolean;
  /** Repositories that it was seen in; the first few. */
  readonly places: readonly string[];
  readonly placeCount: number;
  readonly tags: readonly string[];
  readonly tagCount: number;
  /** Repositories of our own that it belongs to; the first few. */
  readonly own: readonly HostedUse[];
  readonly blob: BlobState | undefined;
}

/** What keeps a blob here. */
export interface BlobState {
  /** The rule whose quota it counts against: the one that brought it. */
  readonly ruleId: string;
  readonly ruleHeldBytes: number;
  readonly ruleMaxSizeBytes: number | undefined;
  readonly lastPulledAtMs: number;
  /** Never evicted before. */
  readonly evictableFromMs: number;
  readonly isFileThere: boolean;
}

const shownMax = 100;
const ownMax = 20;

/** The state of what is held under a digest; `undefined` when nothing is. */
export async function contentState(
  keeping: Keeping,
  place: Place | undefined,
  digest: Digest,
): Promise<ContentState | undefined> {
  const { index } = keeping;
  const blob = await index.blob(digest);
  const manifest = blob === undefined ? await index.manifest(digest) : undefined;
  if (blob === undefined && manifest === undefined) return undefined;
  const places = (await index.placesOf(digest)).map((at) => nameOf(at));
  const tags = (await index.tagsOf(digest)).map((held) => nameOf(held.place, held.tag));
  return {
    digest,
    what: blob === undefined ? "manifest" : "blob",
    mediaType: manifest?.mediaType,
    sizeBytes: blob?.sizeBytes ?? manifest?.bytes.byteLength ?? 0,
    isElsewhere: place !== undefined && !places.includes(nameOf(place)),
    places: places.slice(0, shownMax),
    placeCount: places.length,
    tags: tags.slice(0, shownMax),
    tagCount: tags.length,
    own: await keeping.hosted.uses(digest, ownMax),
    blob: blob && (await blobState(keeping, blob)),
  };
}

async function blobState({ content, quota, registries }: Keeping, row: BlobRow): Promise<BlobState> {
  const { digest, sizeBytes, ruleId, pulledAtMs } = row;
  return {
    ruleId,
    ruleHeldBytes: await quota.heldBytes(ruleId),
    ruleMaxSizeBytes: maxSizeOf(registries, ruleId),
    lastPulledAtMs: pulledAtMs,
    evictableFromMs: pulledAtMs + freshMs,
    isFileThere: content.held(digest, sizeBytes) !== undefined,
  };
}
