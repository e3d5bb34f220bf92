import type { Digest } from "../reference/digest.ts";
import type { RegistryHost } from "../reference/host.ts";
import type { Repository, Tag } from "../reference/repository.ts";

/** Why a registry's answer is no knowledge about what it holds. */
export type UnavailableReason =
  /** 401 after a fresh token, or 403. */
  | "denied"
  /** 429, or our own budget for it is spent. */
  | "rate-limited"
  /** 408, 5xx, or another status that says nothing. */
  | "failed"
  /** Refused, reset, unresolvable, TLS. */
  | "unreachable"
  /** Nothing came within the time allowed. */
  | "timeout"
  /** The breaker is open: it failed just now and was not asked. */
  | "breaker-open"
  /** The answer broke the protocol, a size limit or the egress policy. */
  | "refused"
  /** The bytes are not what their digest says: the upstream is not to be trusted with them. */
  | "wrong-bytes"
  /** The caller's own signal ended the call; it says nothing of the registry. */
  | "cancelled";

/** A registry gave no information: what is held stays good. Never an absence. */
export interface Unavailable {
  readonly kind: "unavailable";
  readonly reason: UnavailableReason;
  /** The status it answered, if it did. */
  readonly status: number | undefined;
  /** The code of the error that it answered to a push or deletion, `NAME_UNKNOWN` for one. OCI distribution spec, "Error Codes". */
  readonly code?: string | undefined;
  /** One sentence for people: upstream, what was asked, what went wrong. No secret, no query of a signed URL. */
  readonly message: string;
  /** How long it asked to be left alone. */
  readonly retryAfterMs: number | undefined;
}

/** A registry's own word that it does not hold this: 404 or 410. */
export interface Absent {
  readonly kind: "absent";
}

/** What a registry answers: it has it, it has it not, or nothing is known. */
export type Answer<T> = ({ readonly kind: "found" } & T) | Absent | Unavailable;

/** HEAD of a manifest. `digest` is absent when the registry did not send `Docker-Content-Digest`. */
export interface ManifestHead {
  readonly digest: Digest | undefined;
  readonly mediaType: string | undefined;
  readonly sizeBytes: number | undefined;
}

/** A manifest's bytes as they came, at most 4 MiB, and the digest that was computed from them. */
export interface ManifestBody {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly digest: Digest;
  readonly mediaType: string;
}

/** A blob's size, when the registry said it. */
export interface BlobHead {
  readonly sizeBytes: number | undefined;
}

/**
 * A stream of a blob's bytes from `startByte` on. `sizeBytes` is of the whole blob. The reader counts and hashes. A body that is cut, or
 * gives its reader nothing for 15 s, errors.
 */
export interface BlobStream {
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly startByte: number;
  readonly sizeBytes: number | undefined;
  /** The same as the runtime has it, once, in place of `body` and before that is read. Absent where that cannot be had. */
  readonly takeNative?: () => NativeBody | undefined;
}

/**
 * A body as the runtime has it, to be another request's: its bytes do not come by here, so nobody counts, hashes or watches them. It has
 * its `Content-Length`, and errors when it is cut.
 */
export interface NativeBody {
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Ends it, wherever it is, and gives its place back. To be called once it is sent or given up. */
  end(): void;
}

/** A page as the registry wrote it (JSON, at most 4 MiB), and the query of its `Link: rel="next"`. */
export interface Page {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly mediaType: string;
  readonly nextQuery: string | undefined;
  /** Headers that belong to the answer's meaning, such as `OCI-Filters-Applied`. */
  readonly filtersApplied: string | undefined;
}

/**
 * Limits of one call: it ends by `signal`, and its answer must have come within `timeoutMs`: the headers of a blob's
 * stream, all of anything else, retries and tokens included.
 */
export interface CallLimits {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  /**
   * How long in all a call may wait, beside its time, for a registry that wants to be left alone or failed just now. Without it such a
   * registry is an answer at once: right for who serves clients, wrong for who copies.
   */
  readonly patienceMs?: number;
  /** Told before each such wait: whether the registry asked for it, or failed so often that it is not asked for a while. */
  readonly onWait?: (waitMs: number, why: "asked" | "failing") => void;
}

/** A half-open range of bytes; `endByte` absent means to the end. */
export interface ByteRange {
  readonly startByte: number;
  readonly endByte: number | undefined;
}

/**
 * One remote registry, to pull from. Every method answers with knowledge or with `Unavailable`; it does not throw for
 * what a network or a registry does. OCI distribution spec v1.1, end-1 to end-12.
 */
export interface RemoteRegistry {
  readonly host: RegistryHost;
  headManifest(repository: Repository, reference: Tag | Digest, limits: CallLimits): Promise<Answer<ManifestHead>>;
  getManifest(repository: Repository, reference: Tag | Digest, limits: CallLimits): Promise<Answer<ManifestBody>>;
  headBlob(repository: Repository, digest: Digest, limits: CallLimits): Promise<Answer<BlobHead>>;
  getBlob(repository: Repository, digest: Digest, range: ByteRange, limits: CallLimits): Promise<Answer<BlobStream>>;
  /** `query` is the part after `?`, already reduced to `n`, `last`. */
  listTags(repository: Repository, query: string, limits: CallLimits): Promise<Answer<Page>>;
  /** `query` is the part after `?`, already reduced to `artifactType` and paging keys. Absent: no referrers API there. */
  listReferrers(repository: Repository, digest: Digest, query: string, limits: CallLimits): Promise<Answer<Page>>;
}
