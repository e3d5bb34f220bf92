import { algorithmOf } from "../reference/digest.ts";
import type { CallLimits } from "../registry/remote.ts";
import { unavailable } from "../registry/unavailable.ts";
import type { ObjectToPut, PutAnswer } from "./bucket.ts";
import { refused, type S3Request } from "./call.ts";
import { headObject } from "./objects.ts";
import type { NamedKey, Operations } from "./operations.ts";
import type { Refusal } from "./refusal.ts";

/** A put on its way: what is put, where, and what is left of its time. */
export interface Putting {
  readonly object: ObjectToPut;
  readonly key: NamedKey;
  readonly limits: () => CallLimits;
}

/** The headers that stay with an object. */
export function headersOf({ mediaType, cacheControl, metadata = {} }: ObjectToPut): Readonly<Record<string, string>> {
  const kept = Object.entries(metadata).map(([name, value]) => [`x-amz-meta-${name}`, value] as const);
  return {
    "Content-Type": mediaType ?? "application/octet-stream",
    ...(cacheControl === undefined ? {} : { "Cache-Control": cacheControl }),
    ...Object.fromEntries(kept),
  };
}

/** For messages. */
export function askedOf({ key }: Putting): string {
  return `PUT of ${key.name}`;
}

/** A refused write, and what was asked. */
export interface RefusedWrite {
  readonly putting: Putting;
  readonly request: S3Request;
  readonly refusal: Refusal;
}

/**
 * What the refusal of a conditional write comes to: something is there, or somebody is putting it (412, 409). It is a success when what
 * is there is the object. An upload that is gone may have been completed by an attempt whose answer was lost.
 */
export async function settle(operations: Operations, { putting, request, refusal }: RefusedWrite): Promise<PutAnswer> {
  const isConflict = refusal.status === 412 || refusal.status === 409 || refusal.code === "NoSuchUpload";
  const there = isConflict ? await compare(operations, putting) : undefined;
  return there ?? refused(request, refusal, operations.clock);
}

/** Whether what is under the key is the object: `undefined` when nothing is known to be there. */
export async function compare(operations: Operations, putting: Putting): Promise<PutAnswer | undefined> {
  const { object, limits } = putting;
  const head = await headObject(operations, object.key, limits());
  if (head.kind === "absent") return undefined;
  if (head.kind === "unavailable") return head.reason === "denied" ? undefined : head;
  const isSameSize = head.sizeBytes === object.sizeBytes;
  const isOther = algorithmOf(object.digest) === "sha256" && (head.digest ?? object.digest) !== object.digest;
  if (isSameSize && !isOther) return { kind: "already-there" };
  const what = isSameSize ? "with other bytes" : `of ${head.sizeBytes} bytes, not ${object.sizeBytes}`;
  return unavailable("refused", `${askedOf(putting)}: an object ${what} is there`, { status: 412 });
}
