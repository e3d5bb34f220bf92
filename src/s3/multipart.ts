import type { Unavailable } from "../registry/remote.ts";
import { askedFor, unavailable } from "../registry/unavailable.ts";
import type { PutAnswer } from "./bucket.ts";
import { refused, type S3Request } from "./call.ts";
import { askedOf, compare, headersOf, type Putting, settle } from "./conditional.ts";
import { fileParts } from "./file-parts.ts";
import { type Operations, textPayload } from "./operations.ts";
import { type Cut, cutOf, type Parts } from "./parts.ts";
import { type NumberedPart, type SentPart, sendParts } from "./send-parts.ts";
import { streamParts, wrongBytes } from "./stream-parts.ts";
import { childText, escapeXml } from "./xml.ts";

const answerMaxBytes = 64 * 1024;
const abortMs = 10_000;

/** An upload that the store has opened. */
interface Upload {
  readonly kind: "upload";
  readonly id: string;
  readonly cut: Cut;
}

/**
 * Puts an object in parts of 8 MiB or more, several at once. It is looked for first, for the store says only at the end that it is there.
 * The digest of all is verified before the parts become an object; whatever ends an upload early, it is aborted.
 */
export async function putInParts(operations: Operations, putting: Putting): Promise<PutAnswer> {
  const asked = askedOf(putting);
  const cut = cutOf(putting.object.sizeBytes);
  if (cut === undefined) return unavailable("refused", `${asked}: it is too large to be sent in 10,000 parts`);
  const there = await compare(operations, putting);
  if (there !== undefined) return there;
  const parts = await partsOf(operations, putting, cut);
  if (parts === undefined) return { kind: "absent" };
  try {
    const upload = await create(operations, putting, cut);
    if (upload.kind === "unavailable") return upload;
    const answer = await send(operations, { putting, parts, upload });
    if (answer.kind !== "put") await abort(operations, putting, upload);
    return answer;
  } finally {
    await parts.close();
  }
}

async function partsOf({ sendsFiles }: Operations, putting: Putting, cut: Cut): Promise<Parts | undefined> {
  const { source, digest, sizeBytes } = putting.object;
  if (source.kind === "file") return await fileParts({ path: source.path, digest, sizeBytes, cut, sendsFiles });
  return streamParts({ source, digest, sizeBytes, signal: putting.limits().signal }, cut);
}

async function create(operations: Operations, putting: Putting, cut: Cut): Promise<Upload | Unavailable> {
  const request: S3Request = {
    ...requestFor(putting, "POST", { uploads: "" }),
    headers: { ...headersOf(putting.object), "x-amz-checksum-algorithm": "CRC32" },
    answer: { xmlMaxBytes: answerMaxBytes },
  };
  const reply = await operations.call(request, putting.limits());
  if (reply.kind === "unavailable") return reply;
  if (reply.kind === "refusal") return refused(request, reply, operations.clock);
  reply.close();
  const id = childText(reply.xml, "UploadId") ?? "";
  if (/^[!-~]{1,1024}$/.test(id)) return { kind: "upload", id, cut };
  return unavailable("refused", `${request.asked}: ${reply.host} opened an upload without an id`);
}

interface Sending {
  readonly putting: Putting;
  readonly parts: Parts;
  readonly upload: Upload;
}

/** Sends every part, then makes them the object. */
async function send(operations: Operations, sending: Sending): Promise<PutAnswer> {
  const { putting, parts, upload } = sending;
  const sent = await sendParts({
    parts,
    cut: upload.cut,
    signal: putting.limits().signal,
    send: (part, signal) => sendPart(operations, sending, part, signal),
  });
  if (sent.kind !== "all") return sent.kind === "absent" ? sent : named(putting, sent);
  if (parts.digest() !== putting.object.digest) return named(putting, wrongBytes());
  return await complete(operations, sending, sent.parts);
}

async function sendPart(
  operations: Operations,
  { putting, upload }: Sending,
  part: NumberedPart,
  signal: AbortSignal,
): Promise<SentPart | Unavailable> {
  const request: S3Request = {
    ...requestFor(putting, "PUT", { partNumber: String(part.number), uploadId: upload.id }),
    headers: { "x-amz-checksum-crc32": part.crc32 },
    payload: part.payload,
    answer: "none",
  };
  const reply = await operations.call(request, { ...putting.limits(), signal });
  if (reply.kind === "unavailable") return reply;
  if (reply.kind === "refusal") return refused(request, reply, operations.clock);
  reply.close();
  const etag = reply.response.headers.get("etag") ?? "";
  if (/^[!-~]{1,256}$/.test(etag)) return { kind: "sent", etag, crc32: part.crc32 };
  return unavailable("refused", `${request.asked}: ${reply.host} took a part without an ETag`);
}

async function complete(
  operations: Operations,
  { putting, upload }: Sending,
  sent: readonly SentPart[],
): Promise<PutAnswer> {
  const listed = sent.map(({ etag, crc32 }, index) => {
    const number = `<PartNumber>${index + 1}</PartNumber>`;
    return `<Part>${number}<ETag>${escapeXml(etag)}</ETag><ChecksumCRC32>${crc32}</ChecksumCRC32></Part>`;
  });
  const namespace = "http://s3.amazonaws.com/doc/2006-03-01/";
  const body = `<CompleteMultipartUpload xmlns="${namespace}">${listed.join("")}</CompleteMultipartUpload>`;
  const request: S3Request = {
    ...requestFor(putting, "POST", { uploadId: upload.id }),
    headers: { "Content-Type": "application/xml", "If-None-Match": "*" },
    payload: textPayload(body),
    answer: { xmlMaxBytes: answerMaxBytes },
  };
  const reply = await operations.call(request, putting.limits());
  if (reply.kind === "unavailable") return reply;
  if (reply.kind === "refusal") return await settle(operations, { putting, request, refusal: reply });
  reply.close();
  return { kind: "put" };
}

/** A fault of the source with the put's name before it; the store's own have it. */
function named(putting: Putting, fault: Unavailable): Unavailable {
  const asked = askedOf(putting);
  return fault.message.startsWith(asked) ? fault : askedFor(asked, fault);
}

/** Takes back what was sent, for parts that are left behind are paid for. It has its own time: the put's may be over. */
async function abort(operations: Operations, putting: Putting, upload: Upload): Promise<void> {
  const request: S3Request = { ...requestFor(putting, "DELETE", { uploadId: upload.id }), answer: "none" };
  const reply = await operations.call(request, { signal: new AbortController().signal, timeoutMs: abortMs });
  if (reply.kind === "reply") reply.close();
}

function requestFor(
  putting: Putting,
  method: S3Request["method"],
  query: Readonly<Record<string, string>>,
): Omit<S3Request, "answer"> {
  return { asked: askedOf(putting), method, fullKey: putting.key.fullKey, query, headers: {} };
}
