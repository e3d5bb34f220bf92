import type { Digest } from "../reference/digest.ts";
import type { Absent, Answer, BlobStream, ByteRange, CallLimits, Unavailable } from "../registry/remote.ts";

/** HEAD of an object. `digest` is there when the store keeps a SHA-256 of the whole. */
export interface ObjectHead {
  readonly sizeBytes: number;
  readonly digest: Digest | undefined;
  readonly mediaType: string | undefined;
}

/** Where the bytes of an object come from. Both are read more than once when something has to be sent again. */
export type ObjectSource =
  /** A file that does not change; it goes out without passing through this process where the connection allows that. */
  | { readonly kind: "file"; readonly path: string }
  /** Opens the bytes from an offset on; they are hashed here before anything of them becomes an object. */
  | { readonly kind: "stream"; open(startByte: number): Promise<Answer<BlobStream>> };

/** An object to be put under a key that nothing else is ever put under: what is there is never overwritten. */
export interface ObjectToPut {
  readonly key: string;
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly source: ObjectSource;
  /** `application/octet-stream` without it. */
  readonly mediaType?: string;
  readonly cacheControl?: string;
  /** Names in lower case, values in ASCII. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * What a put came to. `already-there`: an object of this size, and of this digest where the store tells it, was there. `absent`: the
 * source does not have it. Another object under the key is `unavailable` with status 412; so are wrong bytes, as "wrong-bytes".
 */
export type PutAnswer = { readonly kind: "put" } | { readonly kind: "already-there" } | Absent | Unavailable;

/** An object of a list; its key is without the bucket's prefix. */
export interface ListedObject {
  readonly key: string;
  readonly sizeBytes: number;
  /** When it was put, in milliseconds since 1970, as the store says. */
  readonly modifiedEpochMs: number | undefined;
}

/** At most 1000 objects, in the store's order, and what to ask for the next ones with. */
export interface ObjectPage {
  readonly objects: readonly ListedObject[];
  readonly next: string | undefined;
}

/** An object on its way, or a range of one. */
export interface ObjectStream extends BlobStream {
  /** Resolves when its stream is over: read to the end, broken or cancelled. */
  readonly ended: Promise<void>;
}

/** What to list: keys that begin with `prefix`, from what `next` of the page before said on. */
export interface ListQuestion {
  readonly prefix?: string;
  readonly continuation?: string;
  /** From 1 to 1000, which it is without it. */
  readonly maxKeys?: number;
}

/**
 * The place for blobs in one S3 bucket. Keys are without the bucket's prefix. Every method answers with knowledge or with
 * `Unavailable`; none throws for what a network or a store does. Amazon S3 API reference, 2006-03-01.
 */
export interface S3Bucket {
  /** `s3://BUCKET/PREFIX`, for people. */
  readonly name: string;
  head(key: string, limits: CallLimits): Promise<Answer<ObjectHead>>;
  get(key: string, range: ByteRange, limits: CallLimits): Promise<Answer<ObjectStream>>;
  put(object: ObjectToPut, limits: CallLimits): Promise<PutAnswer>;
  /** What is not there counts as deleted. Several go in batches of 1000. */
  delete(keys: readonly string[], limits: CallLimits): Promise<{ readonly kind: "deleted" } | Unavailable>;
  list(question: ListQuestion, limits: CallLimits): Promise<Answer<ObjectPage>>;
  /** A URL that anybody may GET the object at for some seconds (604,800 at most, or the end of session keys); nothing is asked. */
  presignGet(key: string, expiresS: number): Promise<Answer<{ readonly url: string }>>;
}
