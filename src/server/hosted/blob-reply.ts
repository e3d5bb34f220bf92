import type { Digest } from "../../reference/digest.ts";
import { errorReply, ownHeaders } from "../replies.ts";
import { contentReply, blobHeaders, errorUnknownBlob } from "../content-reply.ts";
import type { HostedRequest } from "./hosted.ts";

/** GET and HEAD of a blob of our own. OCI distribution spec v1.1, "Pulling blobs". */
export async function hostedBlobReply(
  { hosted, request, repository }: HostedRequest,
  digest: Digest,
): Promise<Response> {
  const blob = await hosted.blobs.find(repository, digest);
  if (blob === undefined) return errorUnknownBlob("this repository has no such blob", ownHeaders);
  const headers = blobHeaders(ownHeaders, digest);
  if (request.method === "HEAD") {
    return new Response(null, { headers: { ...headers, "Content-Length": String(blob.sizeBytes) } });
  }
  const asked = { headers: request.headers, digest };
  const reply = await contentReply(blob, asked, ownHeaders);
  if (reply instanceof Response) return reply;
  // It belongs here and its bytes cannot be had: that is no 404, which clients would remember.
  const reason = reply.kind === "absent" ? `${digest} is gone from where it was kept` : reply.message;
  return errorReply(503, "UNAVAILABLE", reason, ownHeaders);
}

/** DELETE of a blob. OCI distribution spec v1.1, "Deleting Blobs". */
export async function removeBlobReply({ hosted, repository }: HostedRequest, digest: Digest): Promise<Response> {
  const isRemoved = await hosted.blobs.remove(repository, digest);
  return isRemoved
    ? new Response(null, { status: 202, headers: ownHeaders })
    : errorUnknownBlob("this repository has no such blob", ownHeaders);
}
