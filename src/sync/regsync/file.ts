/** A regsync file as written, version 1. Numbers are the texts that were written for them. */
export interface RegsyncFile {
  readonly version?: string | undefined;
  readonly creds?: readonly CredsText[] | null | undefined;
  readonly defaults?: RegsyncDefaults | null | undefined;
  readonly sync?: readonly RegsyncEntry[] | null | undefined;
}

/** An element of `creds`. */
export interface CredsText {
  readonly registry: string;
  readonly hostname?: string | undefined;
  readonly user?: string | undefined;
  readonly pass?: string | undefined;
  readonly tls?: string | undefined;
  readonly regcert?: string | undefined;
  readonly credHelper?: string | undefined;
  readonly pathPrefix?: string | undefined;
  readonly reqPerSec?: string | undefined;
  readonly reqConcurrent?: string | undefined;
  readonly scheme?: string | undefined;
}

/** What an entry may say and leave to `defaults`. */
export interface RegsyncShared {
  readonly backup?: string | undefined;
  readonly interval?: string | undefined;
  readonly schedule?: string | undefined;
  readonly digestTags?: boolean | undefined;
  readonly referrers?: boolean | undefined;
}

/** `defaults`. */
export interface RegsyncDefaults extends RegsyncShared {
  readonly parallel?: string | undefined;
  readonly skipDockerConfig?: boolean | undefined;
}

/** An element of `sync`. */
export interface RegsyncEntry extends RegsyncShared {
  readonly source: string;
  readonly target: string;
  readonly type: "image" | "registry" | "repository";
  readonly tags?: RegsyncTags | null | undefined;
  readonly tagSets?: readonly RegsyncTags[] | null | undefined;
  readonly repos?: AllowDeny | null | undefined;
  readonly platform?: string | undefined;
  readonly platforms?: readonly string[] | null | undefined;
}

/** `repos`: regular expressions for whole names. */
export interface AllowDeny {
  readonly allow?: readonly string[] | null | undefined;
  readonly deny?: readonly string[] | null | undefined;
}

/** `tags`, and an element of `tagSets`. */
export interface RegsyncTags extends AllowDeny {
  readonly semverRange?: readonly string[] | null | undefined;
}
