import type { Digest } from "../reference/digest.ts";
import { childrenOf, type Descriptor, type ManifestDocument, parseManifest } from "./manifest.ts";
import { mediaTypes } from "./media-types.ts";

/** A manifest's bytes under their digest, and whatever else who loads it knows of it. */
export interface WalkedManifest {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

/**
 * A piece of an image: a manifest that was read, a blob that one names, or what could not be followed: because nobody has it,
 * nobody could say, or what it says cannot be relied on.
 */
export type Part<M extends WalkedManifest> =
  | { readonly kind: "manifest"; readonly row: M; readonly document: ManifestDocument }
  | { readonly kind: "blob"; readonly descriptor: Descriptor }
  | { readonly kind: "absent"; readonly descriptor: Descriptor }
  | { readonly kind: "lost"; readonly digest: Digest; readonly reason: string }
  | { readonly kind: "refused"; readonly digest: Digest; readonly reason: string };

/** What a manifest's digest leads to. */
export type Loaded<M extends WalkedManifest> =
  | { readonly kind: "row"; readonly row: M }
  | { readonly kind: "absent" }
  | { readonly kind: "lost"; readonly reason: string };

/** How an image is walked. */
export interface Walk<M extends WalkedManifest> {
  /** What was met before; shared between walks that must not do anything twice. */
  readonly visited: Set<Digest>;
  load(digest: Digest): Promise<Loaded<M>>;
  /** Which children of an index are followed. */
  wants(child: Descriptor): boolean;
}

const nodesMax = 10_000;
const depthMax = 8;
const loadedAtOnce = 4;

const manifestTypes: ReadonlySet<string> = new Set([
  ...Object.values(mediaTypes),
  // What a descriptor without a media type is read as.
  "application/octet-stream",
]);

/**
 * Everything a manifest leads to, level by level, each digest once. Bounded in nodes and depth, because an index may name
 * the same children in any number of ways: what lies beyond is refused. Holds a few manifests at a time.
 */
export async function* partsOf<M extends WalkedManifest>(root: M, walk: Walk<M>): AsyncGenerator<Part<M>, void, void> {
  walk.visited.add(root.digest);
  let level: Descriptor[] = [];
  yield* readRow(root, walk, level);
  for (let depth = 1; level.length > 0; depth++) {
    const [first] = level;
    if (depth > depthMax && first !== undefined) return yield tooMuch(first, `it is nested deeper than ${depthMax}`);
    const below: Descriptor[] = [];
    yield* readAll(level, walk, below);
    level = below;
  }
}

/** Yields a manifest and its blobs, and adds the manifests it names to `below`. */
function* readRow<M extends WalkedManifest>(
  row: M,
  walk: Walk<M>,
  below: Descriptor[],
): Generator<Part<M>, void, void> {
  const document = parseManifest(row.bytes);
  if (document.kind === "refused") return yield { ...document, digest: row.digest };
  yield { kind: "manifest", row, document };
  for (const child of childrenOf(document)) {
    if (walk.visited.has(child.digest) || (document.kind === "index" && !walk.wants(child))) continue;
    if (walk.visited.size >= nodesMax) return yield tooMuch(child, `it has more than ${nodesMax} parts`);
    walk.visited.add(child.digest);
    if (document.kind === "index" && manifestTypes.has(child.mediaType)) below.push(child);
    else yield { kind: "blob", descriptor: child };
  }
}

async function* readAll<M extends WalkedManifest>(
  level: readonly Descriptor[],
  walk: Walk<M>,
  below: Descriptor[],
): AsyncGenerator<Part<M>, void, void> {
  for (let start = 0; start < level.length; start += loadedAtOnce) {
    const batch = level.slice(start, start + loadedAtOnce);
    const loaded = await Promise.all(
      batch.map(async (descriptor) => ({ descriptor, answer: await walk.load(descriptor.digest) })),
    );
    for (const { descriptor, answer } of loaded) {
      if (answer.kind === "row") yield* readRow(answer.row, walk, below);
      else if (answer.kind === "absent") yield { kind: "absent", descriptor };
      else yield { kind: "lost", digest: descriptor.digest, reason: answer.reason };
    }
  }
}

function tooMuch({ digest }: Descriptor, why: string): Part<never> {
  return { kind: "refused", digest, reason: `${why}: not followed further` };
}
