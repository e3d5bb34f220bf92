import type { RegistryHost } from "../reference/host.ts";
import type { RuleTable } from "../rules/table.ts";

/** The clouds whose published address ranges are known. */
export type Cloud = "aws" | "azure" | "gcp";

/** How this program proves itself to an upstream. Secrets are not in here: they are read when they are used. */
export type CredentialsSetting =
  | { readonly kind: "none" }
  /** The `config.json` of docker, with its credential helpers. */
  | { readonly kind: "docker-config" }
  | { readonly kind: "password-file"; readonly username: string; readonly passwordFile: string };

/** What may be asked of an upstream: at most `requests` in any `perMs`, at most `concurrent` at once. */
export interface Budget {
  readonly requests: number | undefined;
  readonly perMs: number;
  readonly concurrent: number;
}

/** A registry that may be named: one of the file's, or a well-known one. */
export interface Upstream {
  readonly host: RegistryHost;
  /** Scheme and authority, no trailing slash: where it is reached. */
  readonly url: string;
  /** Put before every repository there; "" or segments without slashes at the ends. */
  readonly path: string;
  readonly cloud: Cloud | undefined;
  readonly region: string | undefined;
  readonly credentials: CredentialsSetting;
  /** True when what it gives may be served to everybody although credentials were used. */
  readonly isPublic: boolean;
  /** PEM text of the certificate authority to trust instead of the system's. */
  readonly ca: string | undefined;
  /** Where `ca` was read; for people only. */
  readonly caFile?: string | undefined;
  /** Plain HTTP, or a certificate that is not checked. */
  readonly insecure: boolean;
  /** The HTTP proxy to reach it through. */
  readonly proxy: string | undefined;
  readonly budget: Budget;
  /** Hosts beside public ones that its blob redirects may point to. */
  readonly redirectHosts: readonly string[];
  /** Hosts beside its own that may give tokens for it. */
  readonly tokenHosts: readonly string[];
  /** True when the operator said where it is, so that it may be at a private address. */
  readonly mayBePrivate: boolean;
}

/** An object store that holds blobs at `url/sha256:HEX`. */
export interface Bucket {
  readonly name: string;
  readonly url: string;
  readonly cloud: Cloud | undefined;
  /** The regions whose clients it is the nearest for. */
  readonly regions: readonly string[];
  readonly isDefault: boolean;
  /** Where it is written. */
  readonly fill: FillPlace | undefined;
}

/** Where blobs are put for a bucket to show them. */
export type FillPlace =
  | { readonly kind: "files"; readonly folder: string }
  | { readonly kind: "s3"; readonly bucket: S3Settings };

/** How this program proves itself to an S3 bucket. Secrets are not in here: they are read when they are used. */
export type S3CredentialsSetting =
  | { readonly kind: "none" }
  /** Where AWS's own programs look: the environment, then the shared credentials file. */
  | { readonly kind: "aws" }
  /** A profile of a shared credentials file; `file` absent means the one that AWS's own programs read. */
  | { readonly kind: "profile"; readonly profile: string; readonly file: string | undefined }
  | { readonly kind: "key"; readonly accessKeyId: string; readonly secretAccessKeyFile: string };

/** A place for blobs in an S3 bucket, to read and to write. */
export interface S3Settings {
  readonly bucket: string;
  /** Put before every key; "" or segments without slashes at the ends. */
  readonly prefix: string;
  /** Scheme and authority of the store, without the bucket. */
  readonly endpoint: string;
  readonly region: string;
  /** True: the bucket is the first segment of the path. False: it is the first label of the host. */
  readonly pathStyle: boolean;
  readonly credentials: S3CredentialsSetting;
  /** PEM text of the certificate authority to trust instead of the system's. */
  readonly ca: string | undefined;
  /** Where `ca` was read; for people only. */
  readonly caFile?: string | undefined;
  /** Plain HTTP, or a certificate that is not checked. */
  readonly insecure: boolean;
  /** The HTTP proxy to reach it through. */
  readonly proxy: string | undefined;
  /** True when the operator said where it is, so that it may be at a private address. */
  readonly mayBePrivate: boolean;
}

/** Where published blobs are kept. */
export type BlobPlace =
  | { readonly kind: "files"; readonly folder: string }
  /** `isLinked`: clients are sent to the bucket for them. */
  | { readonly kind: "s3"; readonly bucket: S3Settings; readonly isLinked: boolean };

/** Where what is cached and stored is kept; paths are absolute. A plain folder is all three. */
export interface StorageSettings {
  /** The folder of the index, the lock and the admin socket: who has it owns all. */
  readonly folder: string;
  readonly blobs: BlobPlace;
  /** The folder of what is on its way in. */
  readonly scratch: string;
}

/** What `serve: redirect` needs beside the rules. */
export interface RedirectSettings {
  readonly buckets: readonly Bucket[];
  readonly info: string | undefined;
  readonly privacy: string | undefined;
  /** Scheme and authority of the registry that signatures and attestations are kept at. */
  readonly signatures: string | undefined;
  /** A file of cloud address ranges to use instead of the compiled ones. */
  readonly cloudRanges: string | undefined;
}

/** Certificate, key and (for mutual TLS) the authority of the clients' certificates, as PEM files. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  readonly clientCa: string | undefined;
}

/** How requests are recorded. */
export type LogFormat = "json" | "off" | "text";

/** Everything in force, read and checked once. A reload makes a new value. */
export interface Settings {
  readonly listen: { readonly hostname: string; readonly port: number };
  readonly tls: readonly TlsFiles[];
  /** Absent when no rule caches or stores and none was given. */
  readonly storage: StorageSettings | undefined;
  /** CIDRs that may pull by cache rules and read metrics. */
  readonly clients: readonly string[] | "any";
  readonly trustedProxies: readonly string[];
  readonly auth: { readonly htpasswd: string } | undefined;
  readonly upstreams: ReadonlyMap<RegistryHost, Upstream>;
  readonly table: RuleTable;
  readonly redirect: RedirectSettings;
  readonly log: LogFormat;
  /** Unix socket of a running server for the commands that speak to it. */
  readonly adminSocket: string | undefined;
  /** Processes that share the port; more than one only where nothing is cached or stored. */
  readonly workers: number;
  /** Files that were read: a change of one of them is a reason to reload. */
  readonly files: readonly string[];
}
