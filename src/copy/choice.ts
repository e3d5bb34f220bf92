import { type Descriptor, parseManifest } from "../manifest/manifest.ts";
import { PlatformChoice } from "../manifest/platform-choice.ts";
import { type Digest, digestFrom } from "../reference/digest.ts";
import { formatPlatform } from "../reference/platform.ts";
import type { ManifestBody } from "../registry/remote.ts";
import type { CopyFailure } from "./failure.ts";
import type { CopyOptions } from "./pair.ts";

/** What of an image is copied, and what its name at the target will stand for. */
export interface Choice {
  readonly kind: "choice";
  /** Manifests that are copied with all below them, byte for byte. */
  readonly roots: readonly Digest[];
  /** What the tag will name: one of the roots, or `made`; nothing when only digests are put. */
  readonly named: Digest | undefined;
  /** An index that was made anew. */
  readonly made: ManifestBody | undefined;
  /** What people must know of it. */
  readonly notes: readonly string[];
}

/** Why the choice cannot be made. */
export interface NoChoice {
  readonly kind: "none";
  readonly failure: CopyFailure;
}

/** A whole image: its digest stays what it is. */
export function wholeImage(digest: Digest): Choice {
  return { kind: "choice", roots: [digest], named: digest, made: undefined, notes: [] };
}

/**
 * The platforms of an image that are wanted. One of them is named by the tag itself; several have no document that names just
 * them, so an index is made when that is allowed, else they are put by digest and nothing is tagged.
 */
export function choosePlatforms(root: ManifestBody, options: CopyOptions): Choice | NoChoice {
  const document = parseManifest(root.bytes);
  if (document.kind === "refused") return none("manifest", `${root.digest}: ${document.reason}`);
  if (document.kind === "manifest" || options.platforms.length === 0) return wholeImage(root.digest);
  const platforms = new PlatformChoice(options.platforms);
  platforms.note(document);
  const missing = platforms.missing();
  if (missing !== undefined) return none("platform", missing);
  const wanted = document.manifests.filter((child) => platforms.wants(child));
  const roots = [...new Set(wanted.map(({ digest }) => digest))];
  const [only] = roots;
  if (only === undefined) return none("platform", "nothing of it is for a platform that is wanted");
  if (roots.length === document.manifests.length) return wholeImage(root.digest);
  const said = namesOf(wanted);
  if (roots.length === 1 && !options.mayMakeIndex)
    return choice(roots, only, `only ${said}: the tag names that manifest, not an index`);
  if (!options.mayMakeIndex) {
    return choice(roots, undefined, `only ${said}, by digest: no index names just these, so nothing is tagged`);
  }
  const made = reducedIndex(root, new Set(roots));
  const note = `only ${said}: a new index ${made.digest}, which no signature of the old one is for`;
  return { ...choice(roots, made.digest, note), made };
}

function choice(roots: readonly Digest[], named: Digest | undefined, note: string): Choice {
  return { kind: "choice", roots, named, made: undefined, notes: [note] };
}

function namesOf(wanted: readonly Descriptor[]): string {
  const names = wanted.map(({ platform, digest }) => (platform === undefined ? digest : formatPlatform(platform)));
  return [...new Set(names)].join(", ");
}

/** The same index with fewer entries; what else it says stays. The same choice gives the same bytes. */
function reducedIndex(root: ManifestBody, wanted: ReadonlySet<string>): ManifestBody {
  // It was parsed before: it is an object with a list of objects that have digests.
  const index = JSON.parse(new TextDecoder().decode(root.bytes)) as {
    readonly manifests: readonly { readonly digest: string }[];
  };
  const manifests = index.manifests.filter(({ digest }) => wanted.has(digest));
  const bytes = new TextEncoder().encode(JSON.stringify({ ...index, manifests }));
  const digest = digestFrom("sha256", new Bun.CryptoHasher("sha256").update(bytes).digest("hex"));
  return { bytes, digest, mediaType: root.mediaType };
}

function none(kind: CopyFailure["kind"], message: string): NoChoice {
  return { kind: "none", failure: { kind, side: "source", message } };
}
