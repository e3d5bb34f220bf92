import { type Draft, fromFile } from "./draft.ts";
import type { BucketEntry } from "./file.ts";
import { fillPlaceOf } from "./fill-place.ts";
import { isLoopback, parseBase, parseOrigin } from "./place.ts";
import type { Path } from "./problem.ts";
import type { Bucket, RedirectSettings } from "./settings.ts";

/** What `serve: redirect` needs beside the rules. */
export function redirectOf(draft: Draft): RedirectSettings {
  const entry = draft.config.redirect ?? {};
  const buckets = (entry.buckets ?? []).map((bucket, index) => bucketOf(draft, bucket, ["redirect", "buckets", index]));
  checkTogether(draft, buckets);
  const signatures = entry.signatures === undefined ? undefined : parseOrigin(entry.signatures);
  if (signatures?.kind === "url") checkHttps(draft, signatures, ["redirect", "signatures"]);
  return {
    buckets,
    info: entry.info,
    privacy: entry.privacy,
    signatures: signatures?.kind === "url" ? signatures.text : undefined,
    cloudRanges: entry.cloudRanges === undefined ? undefined : fromFile(draft, entry.cloudRanges),
  };
}

function bucketOf(draft: Draft, entry: BucketEntry, at: Path): Bucket {
  const { findings } = draft;
  const base = parseBase(entry.url);
  if (base.kind === "url") checkHttps(draft, base, [...at, "url"]);
  const regions = typeof entry.region === "string" ? [entry.region] : (entry.region ?? []);
  if (regions.length > 0 && entry.cloud === undefined) {
    findings.problem([...at, "region"], "means nothing without cloud; add cloud: aws, azure or gcp");
  }
  const isDefault = entry.default ?? false;
  if (entry.cloud === undefined && !isDefault) {
    findings.warning(at, "is never chosen: it has no cloud and is not the default");
  }
  const fill = entry.fill === undefined ? undefined : fillPlaceOf(draft, entry.fill, [...at, "fill"]);
  const url = base.kind === "url" ? base.text : entry.url;
  return { name: entry.name, url, cloud: entry.cloud, regions, isDefault, fill };
}

function checkHttps({ findings }: Draft, place: { hostname: string; isPlainHttp: boolean }, at: Path): void {
  if (!place.isPlainHttp || isLoopback(place.hostname)) return;
  findings.problem(at, "must be https: clients are sent there over the network");
}

function checkTogether({ findings }: Draft, buckets: readonly Bucket[]): void {
  const names = new Set<string>();
  let byDefault: Bucket | undefined;
  for (const [index, bucket] of buckets.entries()) {
    const at: Path = ["redirect", "buckets", index];
    if (names.has(bucket.name)) findings.problem([...at, "name"], `"${bucket.name}" is the name of another bucket too`);
    names.add(bucket.name);
    if (!bucket.isDefault) continue;
    if (byDefault !== undefined)
      findings.problem([...at, "default"], `there is one default, and "${byDefault.name}" is it`);
    byDefault ??= bucket;
  }
}
