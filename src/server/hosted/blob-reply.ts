import type { Digest } from "../../reference/digest.ts";
import { ownHeaders } from "../replies.ts";
import { blobFileReply, blobHeaders, errorUnknownBlob } from "../blob-file.ts";
import type { HostedRequest } from "./hosted.ts";

/** GET and HEAD of a blob of our own. OCI distribution spec v1.1, "Pulling blobs". */
export async function hostedBlobReply(
  { hosted, request, repository }: HostedRequest,
  digest: Digest,
): Promise<Response> {
  const blob = await hosted.blobs.find(repository, digest);
  const path = blob && hosted.content.pathIfHeld(digest, blob.sizeBytes);
  if (blob === undefined || path === undefined) return errorUnknownBlob("this repository has no such blob", ownHeaders);
  const headers = blobHeaders(ownHeaders, digest);
  if (request.method === "HEAD") {
    return new Response(null, { headers: { ...headers, "Content-Length": String(blob.sizeBytes) } });
  }
  return blobFileReply({ path, sizeBytes: blob.sizeBytes }, { headers: request.headers, digest }, ownHeaders);
}

/** DELETE of a blob. OCI distribution spec v1.1, "Deleting Blobs". */
export async function removeBlobReply({ hosted, repository }: HostedRequest, digest: Digest): Promise<Response> {
  const isRemoved = await hosted.blobs.remove(repository, digest);
  return isRemoved
    ? new Response(null, { status: 202, headers: ownHeaders })
    : errorUnknownBlob("this repository has no such blob", ownHeaders);
}
