import type { Cloud, LogFormat } from "./settings.ts";

/** The configuration file as written: keys and shapes of its schema, nothing filled in. Paths are relative to its folder. */
export interface ConfigFile {
  readonly listen?: string | undefined;
  readonly tls?: readonly TlsEntry[] | undefined;
  readonly storage?: string | StorageEntry | undefined;
  readonly clients?: "any" | readonly string[] | undefined;
  readonly trustedProxies?: readonly string[] | undefined;
  readonly auth?: AuthEntry | undefined;
  readonly upstreams?: Readonly<Record<string, UpstreamEntry>> | undefined;
  readonly wellKnown?: boolean | undefined;
  readonly rules: readonly RuleEntry[];
  readonly redirect?: RedirectEntry | undefined;
  readonly log?: LogFormat | undefined;
  readonly adminSocket?: string | undefined;
  readonly workers?: number | undefined;
}

/** `storage` with its parts apart. */
export interface StorageEntry {
  readonly blobs?: string | S3Entry | undefined;
  readonly index?: string | undefined;
  readonly scratch?: string | undefined;
  readonly redirectBlobs?: boolean | undefined;
}

/** An element of `tls`. */
export interface TlsEntry {
  readonly cert: string;
  readonly key: string;
  readonly clientCA?: string | undefined;
}

/** `auth`. */
export interface AuthEntry {
  readonly htpasswd: string;
}

/** A value of `upstreams`. */
export interface UpstreamEntry {
  readonly url?: string | undefined;
  readonly path?: string | undefined;
  readonly cloud?: Cloud | undefined;
  readonly region?: string | undefined;
  readonly credentials?: "docker-config" | PasswordEntry | undefined;
  readonly public?: boolean | undefined;
  readonly ca?: string | undefined;
  readonly insecure?: boolean | undefined;
  readonly proxy?: string | undefined;
  readonly budget?: BudgetEntry | undefined;
  readonly redirectHosts?: readonly string[] | undefined;
  readonly tokenHosts?: readonly string[] | undefined;
}

/** `credentials` with a user of its own. */
export interface PasswordEntry {
  readonly username: string;
  readonly passwordFile: string;
}

/** `budget` of an upstream. */
export interface BudgetEntry {
  readonly requests?: number | undefined;
  readonly per?: string | undefined;
  readonly concurrent?: number | undefined;
}

/** An element of `rules`. */
export interface RuleEntry {
  readonly id?: string | undefined;
  readonly match: string | MatchEntry;
  readonly upstream?: string | undefined;
  readonly serve: "redirect" | "cache" | "store";
  readonly freshFor?: string | undefined;
  readonly serveStaleFor?: string | undefined;
  readonly maxSize?: string | undefined;
  readonly access?: readonly GrantEntry[] | undefined;
  readonly immutableTags?: readonly string[] | undefined;
}

/** An element of `access` of a rule. */
export interface GrantEntry {
  readonly users: readonly string[];
  readonly repositories?: readonly string[] | undefined;
  readonly may: readonly ("pull" | "push" | "delete")[];
}

/** `match` of a rule, written out. */
export interface MatchEntry {
  readonly host?: string | undefined;
  readonly ns?: string | undefined;
  readonly prefix?: string | undefined;
}

/** `redirect`. */
export interface RedirectEntry {
  readonly buckets?: readonly BucketEntry[] | undefined;
  readonly info?: string | undefined;
  readonly privacy?: string | undefined;
  readonly signatures?: string | undefined;
  readonly cloudRanges?: string | undefined;
}

/** An element of `redirect.buckets`. */
export interface BucketEntry {
  readonly name: string;
  readonly url: string;
  readonly cloud?: Cloud | undefined;
  readonly region?: string | readonly string[] | undefined;
  readonly default?: boolean | undefined;
  readonly fill?: string | S3Entry | undefined;
}

/** A place for blobs in an S3 bucket, written out. As a text it is `s3://BUCKET/PREFIX?region=REGION&endpoint=URL`. */
export interface S3Entry {
  readonly bucket: string;
  readonly prefix?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  readonly pathStyle?: boolean | undefined;
  readonly credentials?: "aws" | "none" | S3KeyEntry | S3ProfileEntry | undefined;
  readonly ca?: string | undefined;
  readonly insecure?: boolean | undefined;
  readonly proxy?: string | undefined;
}

/** `credentials` of a bucket with an access key of its own. */
export interface S3KeyEntry {
  readonly accessKeyId: string;
  readonly secretAccessKeyFile: string;
}

/** `credentials` of a bucket from a profile of AWS's shared credentials file. */
export interface S3ProfileEntry {
  readonly profile: string;
  readonly file?: string | undefined;
}
