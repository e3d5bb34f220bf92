import type { Digest } from "../reference/digest.ts";
import type { FillImage, WantedBlob } from "./image.ts";
import type { BlobTarget, Holdings } from "./target.ts";

/**
 * How a target stands to a blob. `unknown`: it gave no word; whether it is there shows when it is put. `wrong`: other bytes are under
 * its name, which are replaced only when that is asked for.
 */
export type BlobState = "held" | "missing" | "unknown" | "wrong";

/** One target of a plan. */
export interface TargetPlan {
  readonly target: BlobTarget;
  readonly holdings: Holdings;
  /** Every blob that is wanted, in their order. */
  readonly states: ReadonlyMap<Digest, BlobState>;
}

/** What a fill would do, as a value: nothing has been written. */
export interface FillPlan {
  readonly images: readonly FillImage[];
  readonly blobs: ReadonlyMap<Digest, WantedBlob>;
  readonly targets: readonly TargetPlan[];
}

/** The plan of one target, from what it says that it holds. An object of another size is a wrong one. */
export function targetPlan(target: BlobTarget, holdings: Holdings, blobs: ReadonlyMap<Digest, WantedBlob>): TargetPlan {
  const states = new Map([...blobs.values()].map((blob) => [blob.digest, stateOf(holdings, blob)] as const));
  return { target, holdings, states };
}

function stateOf({ sizes, unknown }: Holdings, { digest, sizeBytes }: WantedBlob): BlobState {
  const heldBytes = sizes.get(digest);
  if (heldBytes !== undefined) return heldBytes === sizeBytes ? "held" : "wrong";
  return unknown.has(digest) ? "unknown" : "missing";
}

/** What carrying a plan out comes to, at most: what a target gave no word about counts as missing. */
export interface FillSums {
  /** Of all blobs, each once. */
  readonly blobs: number;
  readonly sizeBytes: number;
  /** Blobs that have to be read, each once however many targets lack it. */
  readonly reads: number;
  readonly readBytes: number;
  readonly puts: number;
  readonly putBytes: number;
  /** Requests for the reads and the puts; those that made the plan are over. */
  readonly requests: number;
}

/** Sums up a plan. */
export function sumsOf({ blobs, targets }: FillPlan): FillSums {
  const sums = { blobs: blobs.size, sizeBytes: 0, reads: 0, readBytes: 0, puts: 0, putBytes: 0, requests: 0 };
  for (const { digest, sizeBytes } of blobs.values()) {
    sums.sizeBytes += sizeBytes;
    const puts = targets.filter(({ states }) => isLacking(states.get(digest))).length;
    if (puts === 0) continue;
    sums.reads++;
    sums.readBytes += sizeBytes;
    sums.puts += puts;
    sums.putBytes += puts * sizeBytes;
    sums.requests += 1 + puts * putRequests(sizeBytes);
  }
  return sums;
}

/** Whether something is to be put for a state. */
export function isLacking(state: BlobState | undefined): boolean {
  return state === "missing" || state === "unknown";
}

/** One up to 128 MiB; above it a HEAD, the beginning, parts of 8 MiB and the end. */
function putRequests(sizeBytes: number): number {
  const mebibyte = 1024 * 1024;
  return sizeBytes <= 128 * mebibyte ? 1 : 3 + Math.ceil(sizeBytes / (8 * mebibyte));
}

/** How much of a target is in which state. */
export interface StateCount {
  readonly blobs: number;
  readonly sizeBytes: number;
}

/** Counts the states of one target. */
export function countStates(
  { states }: TargetPlan,
  blobs: ReadonlyMap<Digest, WantedBlob>,
): Readonly<Record<BlobState, StateCount>> {
  const counts = { held: none(), missing: none(), unknown: none(), wrong: none() };
  for (const [digest, state] of states) {
    counts[state].blobs++;
    counts[state].sizeBytes += blobs.get(digest)?.sizeBytes ?? 0;
  }
  return counts;
}

function none(): { blobs: number; sizeBytes: number } {
  return { blobs: 0, sizeBytes: 0 };
}
