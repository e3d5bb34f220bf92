import type { S3Entry } from "./file.ts";

/** A bucket that was written as a URL, or what is wrong with it, in words that never repeat the text. */
export type S3Text =
  | { readonly kind: "bucket"; readonly entry: S3Entry }
  | { readonly kind: "refused"; readonly reason: string };

const MAX_LENGTH = 2048;
const MAX_PREFIX_LENGTH = 512;

/** Parses `s3://BUCKET/PREFIX?region=REGION&endpoint=URL&pathStyle=true&insecure=true&profile=NAME`; all after the bucket may be absent. */
export function parseS3Url(text: string): S3Text {
  const wanted = "must be s3://BUCKET/PREFIX, and ?region=REGION or ?endpoint=URL behind it";
  const [, bucket, prefix = "", query = ""] =
    /^s3:\/\/([^/?#]+)(?:\/([^?#]*))?(?:\?([^#]*))?$/.exec(text.slice(0, MAX_LENGTH + 1)) ?? [];
  if (bucket === undefined || text.length > MAX_LENGTH) return refused(wanted);
  if (bucket.includes("@")) return refused("must have no key in it; keys go into credentials");
  if (!isBucketName(bucket)) return refused("names no bucket: 3 to 63 lower-case letters, digits, dots and dashes");
  const bare = prefix.endsWith("/") ? prefix.slice(0, -1) : prefix;
  if (bare !== "" && !isKeyPrefix(bare)) return refused("has a prefix that cannot stand before keys");
  const entry = withOptions({ bucket, prefix: bare }, query);
  return typeof entry === "string" ? refused(entry) : { kind: "bucket", entry };
}

/** True for what is written as a bucket, in a text where a folder may stand too. */
export function isBucketText(text: string): boolean {
  return text.startsWith("s3://");
}

/** A bucket's name. Amazon S3 user guide, "Bucket naming rules". */
export function isBucketName(text: string): boolean {
  return /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(text) && !text.includes("..") && !/^[0-9.]+$/.test(text);
}

/** What may stand before keys: printable ASCII in segments that are not empty, `.` or `..`, without a slash at the ends. */
export function isKeyPrefix(text: string): boolean {
  if (text.length > MAX_PREFIX_LENGTH || !/^[!-~]+$/.test(text)) return false;
  return text.split("/").every((segment) => segment !== "" && segment !== "." && segment !== "..");
}

function withOptions(bucket: S3Entry, query: string): S3Entry | string {
  const parts: Partial<S3Entry>[] = [];
  const seen = new Set<string>();
  for (const [key, value] of new URLSearchParams(query)) {
    const option = options.get(key);
    if (option === undefined) return `has an option that is not known; there are ${[...options.keys()].join(", ")}`;
    if (seen.has(key)) return `gives ${key} twice`;
    seen.add(key);
    const part = option(value);
    if (part === undefined) return `gives ${key} a value that it cannot have`;
    parts.push(part);
  }
  return Object.assign({}, bucket, ...parts) as S3Entry;
}

const options = new Map<string, (value: string) => Partial<S3Entry> | undefined>([
  ["region", (region) => (isRegion(region) ? { region } : undefined)],
  ["endpoint", (endpoint) => (endpoint === "" ? undefined : { endpoint })],
  ["pathStyle", (value) => flagOf(value, (pathStyle) => ({ pathStyle }))],
  ["insecure", (value) => flagOf(value, (insecure) => ({ insecure }))],
  ["profile", (profile) => (profile === "" ? undefined : { credentials: { profile } })],
]);

function flagOf(value: string, make: (flag: boolean) => Partial<S3Entry>): Partial<S3Entry> | undefined {
  return value === "true" || value === "false" ? make(value === "true") : undefined;
}

function isRegion(text: string): boolean {
  return /^[A-Za-z0-9-]{1,64}$/.test(text);
}

function refused(reason: string): S3Text {
  return { kind: "refused", reason };
}
