import type { UploadPart, EndedUpload, UnknownUpload, UploadState } from "../../hosted/uploads.ts";
import { type Digest, parseDigest } from "../../reference/digest.ts";
import type { Repository } from "../../reference/repository.ts";
import { errorReply, ownHeaders } from "../replies.ts";
import { addressOf, type HostedRequest } from "./hosted.ts";

/** Repositories that are looked at for a blob which the client may know of from anywhere. */
const repositoriesTried = 64;

/** POST where uploads begin: a mount, a whole blob at once, or an upload to go on with. OCI distribution spec v1.1, "Pushing blobs". */
export async function uploadsReply(asked: HostedRequest): Promise<Response> {
  const { hosted, repository, query } = asked;
  const mounted = query.get("mount");
  if (mounted !== null) {
    const digest = parseDigest(mounted);
    if (digest === undefined) return digestInvalid();
    if (await mount(asked, digest, query.get("from"))) return createdReply(asked, digest);
  }
  const whole = query.get("digest");
  if (whole === null) return begunReply(asked, await hosted.uploads.begin(repository));
  const digest = parseDigest(whole);
  if (digest === undefined) return digestInvalid();
  return wholeReply(asked, digest);
}

/** A blob that comes in one request. Its sender was told of no upload to go on with, so that one that fails is given up. */
async function wholeReply(asked: HostedRequest, digest: Digest): Promise<Response> {
  const { hosted, repository } = asked;
  const id = await hosted.uploads.begin(repository);
  try {
    return await endReply(asked, id, digest);
  } finally {
    await hosted.uploads.cancel(repository, id);
  }
}

/** What can be done with an upload that has begun. */
export async function uploadReply(asked: HostedRequest, id: string): Promise<Response> {
  const { hosted, repository, request, query } = asked;
  switch (request.method) {
    case "PATCH":
      return patchReply(asked, id);
    case "PUT": {
      const digest = parseDigest(query.get("digest") ?? "");
      return digest === undefined ? digestInvalid() : endReply(asked, id, digest);
    }
    case "DELETE": {
      const cancelled = await hosted.uploads.cancel(repository, id);
      return cancelled.kind === "unknown" ? uploadUnknown() : new Response(null, { status: 204, headers: ownHeaders });
    }
    default:
      return stateReply(asked, id, await hosted.uploads.state(repository, id), 204);
  }
}

/** A blob of another repository that the client may pull from; where it names none, of any such. */
async function mount(asked: HostedRequest, digest: Digest, from: string | null): Promise<boolean> {
  const { hosted, repository, pullable } = asked;
  const named = from === null ? await pullableWith(asked, digest) : [pullable(from)];
  for (const source of named)
    if (source !== undefined && (await hosted.blobs.mount(repository, digest, source))) return true;
  return false;
}

/** Repositories that have a blob and that the client may pull from. */
async function pullableWith({ hosted, pullable }: HostedRequest, digest: Digest): Promise<readonly Repository[]> {
  const named = await hosted.index.repositoriesWith(digest, repositoriesTried);
  return named.map(pullable).filter((repository) => repository !== undefined);
}

async function patchReply(asked: HostedRequest, id: string): Promise<Response> {
  const { hosted, repository, request } = asked;
  const part = partOf(request);
  if (part === undefined) return rangeInvalid("Content-Range must be START-END with the length of what is sent");
  return stateReply(asked, id, await hosted.uploads.append(repository, id, part), 202);
}

async function endReply(asked: HostedRequest, id: string, digest: Digest): Promise<Response> {
  const { hosted, repository, request } = asked;
  const part = partOf(request);
  if (part === undefined) return rangeInvalid("Content-Range must be START-END with the length of what is sent");
  const ended = await hosted.uploads.end({ repository, id, digest }, part, {
    // Who may pull it may know that it is here: how far an upload is tells what was not written.
    findHeld: async () => {
      const [source] = await pullableWith(asked, digest);
      return source && hosted.blobs.again(source, digest);
    },
    keep: (session) => hosted.blobs.keep(repository, digest, session),
  });
  return endedReply(asked, { id, digest }, ended);
}

function endedReply(
  asked: HostedRequest,
  { id, digest }: { readonly id: string; readonly digest: Digest },
  ended: EndedUpload,
): Response {
  switch (ended.kind) {
    case "kept":
      return createdReply(asked, digest);
    case "wrong-digest":
      return errorReply(400, "DIGEST_INVALID", `what was sent has the digest ${ended.digest}`, ownHeaders);
    default:
      return stateReply(asked, id, ended, 202);
  }
}

/** The bytes of a request and where they belong; `undefined` when it contradicts itself. */
function partOf({ headers, body }: Request): UploadPart | undefined {
  const range = headers.get("content-range");
  const bytes = body ?? noBytes();
  if (range === null) return { startByte: undefined, body: bytes };
  const [, first = "", last = ""] = /^(?:bytes[ =])?(\d{1,15})-(\d{1,15})(?:\/.*)?$/.exec(range) ?? [];
  if (first === "") return undefined;
  const length = headers.get("content-length");
  const isRight = length === null || Number(last) - Number(first) + 1 === Number(length);
  return isRight ? { startByte: Number(first), body: bytes } : undefined;
}

async function* noBytes(): AsyncGenerator<Uint8Array<ArrayBuffer>, void, void> {}

function stateReply(asked: HostedRequest, id: string, state: UploadState | UnknownUpload, status: 202 | 204): Response {
  switch (state.kind) {
    case "unknown":
      return uploadUnknown();
    case "open":
      return new Response(null, { status, headers: stateHeaders(asked, id, state.sizeBytes) });
    case "cut":
      return errorReply(400, "BLOB_UPLOAD_INVALID", "what was sent broke off; go on where it did", {
        ...stateHeaders(asked, id, state.sizeBytes),
      });
    case "out-of-order":
      return rangeInvalid(
        `what was sent does not begin at ${state.sizeBytes}, where the upload goes on`,
        stateHeaders(asked, id, state.sizeBytes),
      );
  }
}

function begunReply(asked: HostedRequest, id: string): Response {
  return new Response(null, { status: 202, headers: stateHeaders(asked, id, 0) });
}

/** `Range` is inclusive on both ends, so that an empty upload can only be said as `0-0`, as others do. */
function stateHeaders(asked: HostedRequest, id: string, sizeBytes: number): Record<string, string> {
  return {
    ...ownHeaders,
    Location: addressOf(asked, `blobs/uploads/${id}`),
    "Docker-Upload-UUID": id,
    Range: `0-${Math.max(0, sizeBytes - 1)}`,
  };
}

function createdReply(asked: HostedRequest, digest: Digest): Response {
  const headers = { ...ownHeaders, Location: addressOf(asked, `blobs/${digest}`), "Docker-Content-Digest": digest };
  return new Response(null, { status: 201, headers });
}

function uploadUnknown(): Response {
  return errorReply(
    404,
    "BLOB_UPLOAD_UNKNOWN",
    "there is no such upload in this repository; begin another",
    ownHeaders,
  );
}

function digestInvalid(): Response {
  return errorReply(
    400,
    "DIGEST_INVALID",
    "the digest in the query is not sha256 with 64 or sha512 with 128 hex digits",
    ownHeaders,
  );
}

function rangeInvalid(message: string, headers: Readonly<Record<string, string>> = ownHeaders): Response {
  return errorReply(416, "RANGE_INVALID", message, headers);
}
