import type { Digest } from "../reference/digest.ts";
import type { BlobStream, ByteRange, RemoteRegistry, Unavailable } from "../registry/remote.ts";
import type { Place } from "../store/content-index.ts";
import { waits } from "./pull.ts";

/** Times and counts that bound a download. */
export interface DownloadLimits {
  /** How long to wait for the headers of an answer. */
  readonly headersMs: number;
  /** How often to resume without having got further. */
  readonly resumes: number;
}

/** The limits of a server. */
export const downloadLimits: DownloadLimits = { headersMs: waits.answerMs, resumes: 3 };

/** What is downloaded, from where. */
export interface DownloadSource {
  readonly registry: RemoteRegistry;
  readonly place: Place;
  readonly digest: Digest;
  readonly limits: DownloadLimits;
  /** Ends the download when it is aborted. */
  readonly stop: AbortController;
}

/** How a download ended. `ended` says that the upstream said so, not that the bytes are right. */
export type DownloadEnd = { readonly kind: "ended" } | Unavailable;

/**
 * Takes a blob from `startByte` on and gives each piece to `accept` in order, without gap or overlap. A body that is cut
 * or stalls is resumed with `Range` where it broke. `accept` may hold the download back by the promise it returns;
 * what it throws ends the download and is thrown on.
 */
export async function download(
  source: DownloadSource,
  first: BlobStream,
  startByte: number,
  accept: (bytes: Uint8Array<ArrayBuffer>) => Promise<void> | undefined,
): Promise<DownloadEnd> {
  let stream = first;
  let next = startByte;
  let fruitless = 0;
  for (;;) {
    const from = next;
    const broken = await drain(source, stream, (bytes, position) => {
      const fresh = position >= next ? bytes : bytes.subarray(Math.min(bytes.byteLength, next - position));
      next += fresh.byteLength;
      return fresh.byteLength > 0 ? accept(fresh) : undefined;
    });
    const sizeBytes = stream.sizeBytes ?? first.sizeBytes;
    if (broken === undefined && (sizeBytes === undefined || next >= sizeBytes)) return { kind: "ended" };
    fruitless = next > from ? 0 : fruitless + 1;
    if (source.stop.signal.aborted || fruitless > source.limits.resumes) return broken ?? cutShort(source, next);
    const resumed = await resume(source, { startByte: next, endByte: undefined });
    if (resumed.kind === "unavailable") return resumed;
    stream = resumed.stream;
  }
}

type Resumed = { readonly kind: "resumed"; readonly stream: BlobStream } | Unavailable;

async function resume({ registry, place, digest, limits, stop }: DownloadSource, range: ByteRange): Promise<Resumed> {
  const answer = await registry.getBlob(place.repository, digest, range, {
    signal: stop.signal,
    timeoutMs: limits.headersMs,
  });
  if (answer.kind === "found") return { kind: "resumed", stream: answer };
  if (answer.kind === "unavailable") return answer;
  return failed(`${place.upstream} began to send ${digest} of ${place.repository} and then said that it has it not`);
}

/** Reads a body to its end; what broke it, or `undefined`. A body that stalls breaks by itself: see `BlobStream`. */
async function drain(
  source: DownloadSource,
  stream: BlobStream,
  accept: (bytes: Uint8Array<ArrayBuffer>, position: number) => Promise<void> | undefined,
): Promise<Unavailable | undefined> {
  const reader = stream.body.getReader();
  let position = stream.startByte;
  try {
    for (;;) {
      const piece = await reader.read().catch((error: unknown) => brokenOff(source, error));
      if ("kind" in piece) return piece;
      if (piece.done) return undefined;
      await accept(piece.value, position);
      position += piece.value.byteLength;
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

function brokenOff({ place, digest }: DownloadSource, error: unknown): Unavailable {
  const reason = error instanceof Error ? error.message : String(error);
  return failed(`${place.upstream} broke off while sending ${digest}: ${reason}`);
}

function cutShort({ place, digest }: DownloadSource, atByte: number): Unavailable {
  return failed(`${place.upstream} ends ${digest} after ${atByte} bytes, before its size`);
}

function failed(message: string): Unavailable {
  return { kind: "unavailable", reason: "failed", status: undefined, message, retryAfterMs: undefined };
}
