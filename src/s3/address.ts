import { isLoopback } from "../config/place.ts";
import type { S3Settings } from "../config/settings.ts";
import type { Target } from "../registry/origins.ts";

const keyMaxBytes = 1024;

/** Where the objects of one bucket are: the one place that its requests go to. */
export interface BucketAddress {
  /** For people. */
  readonly name: string;
  /** What every key in the bucket begins with: "" or the prefix and a slash. */
  readonly keyPrefix: string;
  /** The key in the bucket, prefix included, or `undefined` for what is none. */
  fullKey(key: string): string | undefined;
  /** The bucket itself, or the object at a full key. */
  target(fullKey: string | undefined, query: Readonly<Record<string, string>>): Target;
}

/** The address of a bucket: in the path, or as the first label of the host. Amazon S3 user guide, "Virtual hosting of buckets". */
export function addressOf(settings: S3Settings): BucketAddress {
  const { bucket, prefix, pathStyle } = settings;
  const base = new URL(settings.endpoint);
  if (!pathStyle) base.hostname = `${bucket}.${base.hostname}`;
  const root = pathStyle ? `/${bucket}` : "";
  const keyPrefix = prefix === "" ? "" : `${prefix}/`;
  const reach = reachOf(settings);
  return {
    name: `s3://${bucket}${prefix === "" ? "" : `/${prefix}`}`,
    keyPrefix,
    fullKey(key) {
      const full = `${keyPrefix}${key}`;
      return isKey(full) ? full : undefined;
    },
    target(fullKey, query) {
      const url = new URL(base.origin);
      url.pathname = `${root}/${fullKey === undefined ? "" : encodedKey(fullKey)}`;
      url.search = encodedQuery(query);
      return { kind: "target", url, reach, isOwn: true };
    },
  };
}

function reachOf({ endpoint, insecure, mayBePrivate, ca }: S3Settings): Target["reach"] {
  const allowHttp = insecure || isLoopback(new URL(endpoint).hostname);
  return { allowHttp, allowPrivate: mayBePrivate, ca, verify: !insecure };
}

/** Keys that go through URLs, proxies and lists unchanged: no control characters, no segment that is empty, `.` or `..`. */
function isKey(key: string): boolean {
  if (Buffer.byteLength(key) > keyMaxBytes || !key.isWellFormed() || /\p{Cc}/u.test(key)) return false;
  return key.split("/").every((segment) => segment !== "" && segment !== "." && segment !== "..");
}

function encodedKey(key: string): string {
  return key.split("/").map(encoded).join("/");
}

function encodedQuery(query: Readonly<Record<string, string>>): string {
  return Object.entries(query)
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .join("&");
}

/** Everything but the unreserved characters (RFC 3986, 2.3), as signatures count it. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}
