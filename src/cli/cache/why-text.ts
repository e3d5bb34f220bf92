import { formatDuration } from "../../config/duration.ts";
import { formatSize } from "../../config/size.ts";
import type { RuleState, WhyRow } from "../../mirror/keeping/why.ts";
import type { BlobState, ContentState } from "../../mirror/keeping/why-content.ts";
import type { HostedUse } from "../../store/hosted-index.ts";
import type { ImageState } from "../../mirror/keeping/why-image.ts";
import type { TagState } from "../../mirror/keeping/why-tag.ts";
import type { RuleOrigin } from "../../rules/rule.ts";
import { showCount, showSize, showSpan, showTime } from "./quantities.ts";

const namesShown = 5;

/** An explanation for people: a name, and under it a line for each thing that is known. */
export function whyText(row: WhyRow, nowMs: number): string {
  const { rule, unserved, upstream, url, tag, content, image } = row;
  const lines: (readonly [string, string | undefined])[] = [
    ["rule", rule && ruleText(rule)],
    ["", unserved],
    ["upstream", upstream && `${upstream}${url === undefined ? "" : ` at ${url}`}`],
    ["tag", tag && tagText(tag, nowMs)],
    [content?.what ?? "held", content === undefined ? "nothing of it" : contentText(content)],
    ["seen at", content && content.placeCount > 0 ? names(content.places, content.placeCount) : undefined],
    ...(content?.own ?? []).map((use) => ["own", ownText(use, nowMs)] as const),
    ["tags", content && tagsText(content)],
    ["image", image && imageText(image)],
    ["pulled", pulledText(content, image, nowMs)],
    ["evicted", content && evictionText(row, content, nowMs)],
  ];
  const shown = lines.flatMap(([label, text]) => (text === undefined ? [] : [`  ${label.padEnd(8)}  ${text}`]));
  return [row.name, ...shown].join("\n");
}

function ruleText({ id, origin, match, serve, ...rule }: RuleState): string {
  if (serve === "store") return `${id} (match ${match}, ${originText(origin)}): ${serve}`;
  const limit = rule.maxSizeBytes === undefined ? "no maxSize" : `maxSize ${formatSize(rule.maxSizeBytes)}`;
  const fresh = `freshFor ${formatDuration(rule.freshForMs)}, serveStaleFor ${formatDuration(rule.serveStaleForMs)}`;
  return `${id} (match ${match}, ${originText(origin)}): ${serve}, ${fresh}, ${limit}; ${showSize(rule.heldBytes)} held`;
}

function originText(origin: RuleOrigin): string {
  return origin.kind === "file" ? `${origin.file}:${origin.line}` : "built in";
}

function tagText({ digest, isHeld, checkedAtMs, freshUntilMs, staleUntilMs, state }: TagState, nowMs: number): string {
  const seen = `${digest}${isHeld ? "" : " (not pulled yet)"}, checked ${showSpan(nowMs - checkedAtMs)} ago`;
  if (freshUntilMs === undefined || staleUntilMs === undefined) return seen;
  const fresh = `fresh until ${showTime(freshUntilMs)}`;
  const stale = `served until ${showTime(staleUntilMs)} while the upstream gives no word`;
  switch (state) {
    case "fresh":
      return `${seen}; ${fresh}, ${stale}`;
    case "due":
      return `${seen}; the next pull asks the upstream (${fresh}); ${stale}`;
    case "expired":
    case "unserved":
      return `${seen}; too old to be served without the upstream's word (${stale})`;
  }
}

function contentText({ what, digest, mediaType, sizeBytes, isElsewhere, blob }: ContentState): string {
  const type = mediaType === undefined ? "" : `, ${mediaType}`;
  const here = isElsewhere ? "; not seen in this repository: its upstream is asked before it is served here" : "";
  const file = blob === undefined || blob.isFileThere ? "" : "; its file is gone: the next pull fetches it again";
  return `${digest}, ${what === "blob" ? showSize(sizeBytes) : `${sizeBytes} bytes`}${type}${here}${file}`;
}

/** What keeps content in a repository of our own. */
function ownText({ repository, kind, namedBy, tags, leasedAtMs }: HostedUse, nowMs: number): string {
  const tagged = tags.length === 0 ? "" : `, ${names(tags, tags.length)}`;
  if (namedBy.length > 0) return `${repository}${tagged}: named by ${names(namedBy, namedBy.length)}`;
  if (kind === "manifest") return `${repository}${tagged}: a manifest stays until it is deleted`;
  const asked = `${showSpan(nowMs - leasedAtMs)} ago`;
  return `${repository}: no manifest names it, last asked for ${asked}; collected when that is a day ago`;
}

function tagsText({ own, tags, tagCount }: ContentState): string | undefined {
  if (tagCount > 0) return names(tags, tagCount);
  return own.length > 0 ? undefined : "no tag names it";
}

function imageText(image: ImageState): string {
  const { manifests, absentManifests, blobs, heldBytes, absentBlobs, absentBytes } = image;
  const held = `${showCount(manifests, "manifest")} and ${showCount(blobs, "blob")} (${showSize(heldBytes)}) held`;
  if (absentManifests + absentBlobs === 0) return `complete: ${held}`;
  const absent = `${showCount(absentManifests, "manifest")} and ${showCount(absentBlobs, "blob")}`;
  return `${held}; ${absent} (${showSize(absentBytes)}) come when they are pulled`;
}

function pulledText(
  content: ContentState | undefined,
  image: ImageState | undefined,
  nowMs: number,
): string | undefined {
  const atMs = content?.blob?.lastPulledAtMs ?? image?.lastPulledAtMs;
  return atMs === undefined ? undefined : `${showSpan(nowMs - atMs)} ago`;
}

function evictionText({ image }: WhyRow, { blob, own }: ContentState, nowMs: number): string | undefined {
  if (own.length > 0) return "never while a repository of our own has it";
  if (blob !== undefined) return blobEviction(blob, nowMs);
  const first = image?.firstEvicted;
  if (first === undefined) return "manifests are not evicted";
  const limit = first.ruleMaxSizeBytes === undefined ? "" : ` or rule ${first.ruleId} has reached its maxSize`;
  return `manifests are not; of its blobs ${first.digest} would be first (pulled ${showSpan(nowMs - first.lastPulledAtMs)} ago), when the disk is full${limit}`;
}

function blobEviction({ ruleId, ruleHeldBytes, ruleMaxSizeBytes, evictableFromMs }: BlobState, nowMs: number): string {
  const quota =
    ruleMaxSizeBytes === undefined
      ? "when the disk is full"
      : `when rule ${ruleId} would exceed ${formatSize(ruleMaxSizeBytes)} (it has ${showSize(ruleHeldBytes)}) or the disk is full`;
  const fresh = evictableFromMs > nowMs ? `, not before ${showTime(evictableFromMs)}` : "";
  return `${quota}, the least recently pulled first${fresh}`;
}

function names(shown: readonly string[], count: number): string {
  const more = count > namesShown ? ` and ${count - namesShown} more` : "";
  return `${shown.slice(0, namesShown).join(", ")}${more}`;
}
