import { algorithmOf, type Digest, hexOf } from "../reference/digest.ts";
import { parseTag, type Tag } from "../reference/repository.ts";

const subjectHexLength = 64;
const cosignSuffixes = [".sig", ".att", ".sbom"] as const;
const suffixes: ReadonlySet<string> = new Set(["", ...cosignSuffixes]);

/** The tags by which cosign keeps what belongs to a manifest; none where its digest is too long for them. */
export function cosignTags(digest: Digest): readonly Tag[] {
  return cosignSuffixes.flatMap((suffix) => parseTag(`${algorithmOf(digest)}-${hexOf(digest)}${suffix}`) ?? []);
}

/** The tag of the index that stands for a referrers list. OCI distribution spec v1.1, "Referrers Tag Schema". */
export function referrersTag(digest: Digest): Tag {
  return `${algorithmOf(digest)}-${hexOf(digest).slice(0, subjectHexLength)}` as Tag;
}

/**
 * True for a tag that stands for what belongs to an image: cosign's `sha256-HEX.sig`, `.att` and `.sbom`, and the referrers tag
 * `sha256-HEX` or `sha512-HEX`, the hex cut to 64 digits. OCI distribution spec v1.1, "Referrers Tag Schema".
 */
export function isSignatureTag(tag: string): boolean {
  const isSha256 = tag.startsWith("sha256-");
  if (!isSha256 && !tag.startsWith("sha512-")) return false;
  const end = 7 + subjectHexLength;
  if (tag.length < end) return false;
  for (let at = 7; at < end; at++) if (!isHexCode(tag.charCodeAt(at))) return false;
  return tag.length === end || (isSha256 && suffixes.has(tag.slice(end)));
}

function isHexCode(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 97 && code <= 102);
}
