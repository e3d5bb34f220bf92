import type { FoundManifest, FoundManifestHead, ManifestOutcome } from "../mirror/pull.ts";
import type { Notes } from "./record.ts";
import { contentType, errorReply, originHeaders, unavailableReply, warningHeaders } from "./replies.ts";

/** The answer to GET or HEAD of a manifest. OCI distribution spec v1.1, "Pulling manifests". */
export function manifestReply(
  outcome: ManifestOutcome | FoundManifestHead,
  method: string,
  upstream: string,
  notes: Notes,
): Response {
  switch (outcome.kind) {
    case "found":
      notes.origin = outcome.origin;
      return foundReply(outcome, method, upstream);
    case "head":
      notes.origin = "miss";
      return new Response(null, { headers: headHeaders(outcome, upstream) });
    case "absent":
      return errorReply(
        404,
        "MANIFEST_UNKNOWN",
        `${upstream} says that it has no such manifest`,
        originHeaders(upstream),
      );
    case "unavailable":
      notes.error = outcome.message;
      return unavailableReply(outcome, upstream);
  }
}

function foundReply({ row, ageMs, warning }: FoundManifest, method: string, upstream: string): Response {
  const headers = {
    ...originHeaders(upstream),
    ...warningHeaders(ageMs, warning),
    "Content-Type": contentType(row.mediaType),
    "Docker-Content-Digest": row.digest,
    ETag: `"${row.digest}"`,
    "Content-Length": String(row.bytes.byteLength),
  };
  return new Response(method === "HEAD" ? null : row.bytes, { headers });
}

function headHeaders({ digest, mediaType, sizeBytes }: FoundManifestHead, upstream: string): Record<string, string> {
  return {
    ...originHeaders(upstream),
    "Docker-Content-Digest": digest,
    ETag: `"${digest}"`,
    ...(mediaType === undefined ? {} : { "Content-Type": contentType(mediaType) }),
    ...(sizeBytes === undefined ? {} : { "Content-Length": String(sizeBytes) }),
  };
}
