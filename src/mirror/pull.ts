import type { Digest } from "../reference/digest.ts";
import type { Absent, CallLimits, Unavailable } from "../registry/remote.ts";
import type { Rule } from "../rules/rule.ts";
import type { ManifestRow, Place } from "../store/content-index.ts";

/** One pull: where it is from, and the rule that it is under. */
export interface Pull {
  readonly place: Place;
  readonly rule: Rule;
}

/** Where an answer came from, for the access record and the metrics. */
export type Origin =
  /** Held, and known to be good. */
  | "hit"
  /** Held, and good by the upstream's word just now. */
  | "revalidated"
  /** Held, and served although the upstream gave no word; `Warning` says so. */
  | "stale"
  /** From the upstream, for this request. */
  | "miss"
  /** From a download that another request began. */
  | "joined";

/** A manifest with its bytes, to be sent as it is. */
export interface FoundManifest {
  readonly kind: "found";
  readonly row: ManifestRow;
  readonly origin: Origin;
  /** Since the upstream last confirmed it; absent for content that cannot change. */
  readonly ageMs: number | undefined;
  /** Why it is stale. */
  readonly warning: string | undefined;
}

/** What is known of a manifest whose bytes are not held: the answer to a HEAD. */
export interface FoundManifestHead {
  readonly kind: "head";
  readonly digest: Digest;
  readonly mediaType: string | undefined;
  readonly sizeBytes: number | undefined;
}

/** The answer to a pull of a manifest. */
export type ManifestOutcome = FoundManifest | Absent | Unavailable;

/** Whether both are the same repository of the same upstream. */
export function isSamePlace(one: Place, other: Place): boolean {
  return one.upstream === other.upstream && one.repository === other.repository;
}

/** A key for maps of a place and something in it. No part of it may hold a line feed. */
export function placeKey({ upstream, repository }: Place, of: string): string {
  return `${upstream}\n${repository}\n${of}`;
}

/** How long to wait for an upstream, in milliseconds. */
export const waits = {
  /** For the headers of an answer that a client waits for. */
  answerMs: 5000,
  /** For a check of a tag that is held, before the held answer goes out. */
  freshnessMs: 1000,
  /** An upstream's own 404 is believed this long. */
  absenceMs: 60_000,
  /** A digest that came with wrong bytes is not asked for again this long. */
  wrongBytesMs: 30_000,
} as const;

/** Limits of a call that a client waits for. It is shared by all who ask meanwhile, so only its time ends it. */
export function answerLimits(): CallLimits {
  return { signal: new AbortController().signal, timeoutMs: waits.answerMs };
}

/**
 * What a second question of a pull comes to in what is left of the time that its client waits. The question goes on behind: what it
 * finds is for who asks next.
 */
export async function inTime<T>(
  { place }: Pull,
  question: Promise<T>,
  timeIsOver: Promise<undefined>,
): Promise<T | Unavailable> {
  const answer = await Promise.race([question, timeIsOver]);
  if (answer !== undefined) return answer;
  const message = `${place.upstream} gave no answer within ${waits.answerMs / 1000} s`;
  return { kind: "unavailable", reason: "timeout", status: undefined, message, retryAfterMs: undefined };
}

/** An `Unavailable` for what was found wrong here. */
export function refusedAnswer(message: string): Unavailable {
  return { kind: "unavailable", reason: "refused", status: undefined, message, retryAfterMs: undefined };
}
