import { type PutManifest, putManifest } from "../../hosted/manifests.ts";
import { manifestMaxBytes } from "../../manifest/manifest.ts";
import { type Digest, parseDigest } from "../../reference/digest.ts";
import { parseTag, type Tag } from "../../reference/repository.ts";
import { isImmutable, rightOf } from "../../rules/rights.ts";
import type { Action } from "../../rules/rule.ts";
import { readBody } from "../body.ts";
import { contentType, errorReply, ownHeaders } from "../replies.ts";
import { addressOf, type HostedRequest } from "./hosted.ts";

/** GET and HEAD of a manifest of our own. OCI distribution spec v1.1, "Pulling manifests". */
export async function hostedManifestReply(asked: HostedRequest, reference: Tag | Digest): Promise<Response> {
  const { hosted, request, repository } = asked;
  const digest = parseDigest(reference);
  const row = await (digest === undefined
    ? hosted.index.tagged(repository, reference as Tag)
    : hosted.index.manifest(repository, digest));
  if (row === undefined) return manifestUnknown();
  const headers = {
    ...ownHeaders,
    "Content-Type": contentType(row.mediaType),
    "Docker-Content-Digest": row.digest,
    ETag: `"${row.digest}"`,
    "Content-Length": String(row.bytes.byteLength),
  };
  return new Response(request.method === "HEAD" ? null : row.bytes, { headers });
}

const tagsMax = 64;

/** PUT of a manifest. OCI distribution spec v1.1, "Pushing Manifests"; `?tag=`, by digest, as its next version has it. */
export async function putManifestReply(asked: HostedRequest, reference: Tag | Digest): Promise<Response> {
  const { hosted, request, repository, rule } = asked;
  const tags = asked.query.getAll("tag").map(parseTag);
  if (!tags.every((tag) => tag !== undefined) || tags.length > tagsMax) {
    return errorReply(
      400,
      "MANIFEST_INVALID",
      `tag in the query is no tag, or is there more than ${tagsMax} times`,
      ownHeaders,
    );
  }
  const bytes = await readBody(request, manifestMaxBytes);
  if (bytes === "too-long") return errorReply(413, "SIZE_INVALID", "a manifest has at most 4 MiB", ownHeaders);
  if (bytes === "cut") return errorReply(400, "MANIFEST_INVALID", "what was sent broke off", ownHeaders);
  const contentType = request.headers.get("content-type");
  const sent = { repository, reference, contentType, bytes, tags, isImmutable: (tag: Tag) => isImmutable(rule, tag) };
  const put = await putManifest(hosted.index, sent, hosted.nowMs());
  return put.kind === "added" ? addedReply(put, asked, tags) : notPutReply(put, asked);
}

function addedReply(
  { digest, subject }: Extract<PutManifest, { readonly kind: "added" }>,
  asked: HostedRequest,
  tags: readonly Tag[],
): Response {
  const headers = new Headers(ownHeaders);
  headers.set("Location", addressOf(asked, `manifests/${digest}`));
  headers.set("Docker-Content-Digest", digest);
  if (subject !== undefined) headers.set("OCI-Subject", subject);
  for (const tag of tags) headers.append("OCI-Tag", tag);
  return new Response(null, { status: 201, headers });
}

/** DELETE of a manifest, which takes its tags with it, or of a tag alone. OCI distribution spec v1.1, "Deleting Manifests". */
export async function removeManifestReply(asked: HostedRequest, reference: Tag | Digest): Promise<Response> {
  const { hosted, repository } = asked;
  const digest = parseDigest(reference);
  const tags = digest === undefined ? [reference as Tag] : await hosted.index.tagsOf(repository, digest);
  const denied = deniedReply(asked, "delete", tags);
  if (denied !== undefined) return denied;
  const isRemoved = await (digest === undefined
    ? hosted.index.removeTag(repository, reference as Tag)
    : hosted.index.removeManifest(repository, digest, tags));
  if (isRemoved) return new Response(null, { status: 202, headers: ownHeaders });
  // Still there: it was given another tag in the meantime, which may be one that never changes.
  const isThere = digest !== undefined && (await hosted.index.manifest(repository, digest)) !== undefined;
  return isThere ? removeManifestReply(asked, reference) : manifestUnknown();
}

function notPutReply(put: Exclude<PutManifest, { readonly kind: "added" }>, asked: HostedRequest): Response {
  switch (put.kind) {
    case "invalid":
      return errorReply(400, put.code, put.reason, ownHeaders);
    case "missing": {
      const message = `it names ${put.digest}, which is not in ${asked.repository}: push that first`;
      return errorReply(404, "MANIFEST_BLOB_UNKNOWN", message, ownHeaders);
    }
    case "immutable":
      return deniedReply(asked, "push", [put.tag]) ?? manifestUnknown();
  }
}

function deniedReply(
  { rule, asker, repository }: HostedRequest,
  action: Action,
  tags: readonly Tag[],
): Response | undefined {
  const right = rightOf(rule, asker, { action, repository, tags });
  return right.kind === "denied" ? errorReply(403, "DENIED", right.reason, ownHeaders) : undefined;
}

function manifestUnknown(): Response {
  return errorReply(404, "MANIFEST_UNKNOWN", "this repository has no such manifest", ownHeaders);
}
