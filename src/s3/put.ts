import { algorithmOf, hexOf } from "../reference/digest.ts";
import { type Deadline, startDeadline } from "../registry/deadline.ts";
import type { CallLimits, Unavailable } from "../registry/remote.ts";
import { askedFor, unavailable } from "../registry/unavailable.ts";
import type { ObjectToPut, PutAnswer } from "./bucket.ts";
import type { Payload, S3Request } from "./call.ts";
import { askedOf, headersOf, type Putting, settle } from "./conditional.ts";
import { filePayload, fileSizeBytes } from "./file-payload.ts";
import { putInParts } from "./multipart.ts";
import { keyIn, type Operations } from "./operations.ts";
import { bufferedWhole, wholeMaxBytes } from "./stream-parts.ts";

/** A file up to here goes in one request, without being read by this process: the store verifies its digest. */
const fileMaxBytes = 128 * 1024 * 1024;
/** A conflict with another writer is gone into so often. Amazon S3 user guide, "Conditional writes". */
const roundsMax = 3;

/** Puts an object under a key where nothing is. `limits.timeoutMs` is for all of it. */
export async function putObject(operations: Operations, object: ObjectToPut, limits: CallLimits): Promise<PutAnswer> {
  const key = keyIn(operations, object.key);
  if (key.kind === "unavailable") return key;
  const deadline = startDeadline(operations.clock, limits);
  try {
    return await put(operations, { object, key, limits: () => leftOf(deadline) });
  } finally {
    deadline.end();
  }
}

function leftOf(deadline: Deadline): CallLimits {
  return { signal: deadline.signal, timeoutMs: deadline.remainingMs() };
}

async function put(operations: Operations, putting: Putting): Promise<PutAnswer> {
  const { object } = putting;
  if (!fitsWhole(object)) return await putInParts(operations, putting);
  const payload = await wholePayload(operations, putting);
  if (payload.kind !== "payload") return payload.kind === "absent" ? payload : askedFor(askedOf(putting), payload);
  for (let round = 1; ; round++) {
    const answer = await putWhole(operations, putting, payload.payload);
    if (answer.kind !== "unavailable" || answer.status !== 409 || round === roundsMax) return answer;
  }
}

/** One request needs the SHA-256 of all of it, and of a stream all of it in memory. */
function fitsWhole({ digest, sizeBytes, source }: ObjectToPut): boolean {
  if (algorithmOf(digest) !== "sha256") return false;
  return sizeBytes <= (source.kind === "file" ? fileMaxBytes : wholeMaxBytes);
}

type WholePayload = { readonly kind: "payload"; readonly payload: Payload } | { readonly kind: "absent" } | Unavailable;

async function wholePayload({ sendsFiles }: Operations, { object, limits }: Putting): Promise<WholePayload> {
  const { source, digest, sizeBytes } = object;
  if (source.kind === "stream") return await bufferedWhole({ source, digest, sizeBytes, signal: limits().signal });
  const foundBytes = await fileSizeBytes(source.path);
  if (foundBytes === undefined) return { kind: "absent" };
  if (foundBytes !== sizeBytes) return unavailable("wrong-bytes", `its file has ${foundBytes} bytes, not ${sizeBytes}`);
  const range = { startByte: 0, endByte: sizeBytes };
  return { kind: "payload", payload: { ...filePayload(source.path, range, sendsFiles), sha256: hexOf(digest) } };
}

async function putWhole(operations: Operations, putting: Putting, payload: Payload): Promise<PutAnswer> {
  const { object, key } = putting;
  const checksum = Buffer.from(hexOf(object.digest), "hex").toString("base64");
  const request: S3Request = {
    asked: askedOf(putting),
    method: "PUT",
    fullKey: key.fullKey,
    query: {},
    headers: { ...headersOf(object), "x-amz-checksum-sha256": checksum, "If-None-Match": "*" },
    payload,
    answer: "none",
  };
  const reply = await operations.call(request, putting.limits());
  if (reply.kind === "unavailable") return reply;
  if (reply.kind === "refusal") return await settle(operations, { putting, request, refusal: reply });
  reply.close();
  return { kind: "put" };
}
