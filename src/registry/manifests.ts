import { acceptManifests, bareMediaType, mediaTypes } from "../manifest/media-types.ts";
import { manifestMaxBytes } from "../manifest/manifest.ts";
import { algorithmOf, type Digest, type DigestAlgorithm, digestFrom, parseDigest } from "../reference/digest.ts";
import type { Repository, Tag } from "../reference/repository.ts";
import { discard, readWhole } from "./body.ts";
import { contentLength } from "./content-range.ts";
import type { Operations } from "./operations.ts";
import type { Answer, CallLimits, ManifestBody, ManifestHead, Unavailable } from "./remote.ts";
import { placeOf } from "./repository-path.ts";
import type { Reply } from "./reply.ts";
import type { RegistryRequest } from "./request.ts";
import { meaningOf, refusedEncoding } from "./statuses.ts";
import { explained, unavailable } from "./unavailable.ts";

/** Which manifest, and within which limits. */
export interface ManifestQuestion {
  readonly repository: Repository;
  readonly reference: Tag | Digest;
  readonly limits: CallLimits;
}

/**
 * HEAD of a manifest. Of a tag, a registry without HEAD (405, 501) has it for all that is known: found, with nothing said of it. Of
 * a digest "found" is the registry's word that it has this: there such a one is asked by GET, in what is left of the time.
 */
export async function headManifest(operations: Operations, question: ManifestQuestion): Promise<Answer<ManifestHead>> {
  const request = requestFor(operations, question, "HEAD");
  const reply = await operations.call(request, question.limits);
  if (reply.kind === "unavailable") return reply;
  // It has no body that would have to be read. RFC 9110, 9.3.2.
  reply.close();
  const { headers, status } = reply.answered.response;
  if (status === 405 || status === 501) {
    if (parseDigest(question.reference) !== undefined) {
      const limits = { ...question.limits, timeoutMs: reply.remainingMs() };
      return headOf(await getManifest(operations, { ...question, limits }));
    }
    return { kind: "found", digest: undefined, mediaType: undefined, sizeBytes: undefined };
  }
  if (status !== 200) return explained(request.asked, meaningOf(reply.answered, operations.clock));
  const mediaType = bareMediaType(headers.get("content-type"));
  return { kind: "found", digest: saidDigest(headers), mediaType, sizeBytes: contentLength(headers) };
}

/** GET of a manifest, read whole. Its digest is computed from its bytes, and what was asked or said must agree with it. */
export async function getManifest(operations: Operations, question: ManifestQuestion): Promise<Answer<ManifestBody>> {
  const request = requestFor(operations, question, "GET");
  const reply = await operations.call(request, question.limits);
  if (reply.kind === "unavailable") return reply;
  try {
    return explained(request.asked, await readManifest(operations, reply, parseDigest(question.reference)));
  } finally {
    reply.close();
  }
}

function headOf(answer: Answer<ManifestBody>): Answer<ManifestHead> {
  if (answer.kind !== "found") return answer;
  const { digest, mediaType, bytes } = answer;
  return { kind: "found", digest, mediaType, sizeBytes: bytes.byteLength };
}

function requestFor(
  { upstream }: Operations,
  { repository, reference }: ManifestQuestion,
  method: "GET" | "HEAD",
): RegistryRequest {
  const { path, scope } = placeOf(upstream, repository);
  const separator = parseDigest(reference) === undefined ? ":" : "@";
  return {
    asked: `${method} of the manifest ${upstream.host}/${repository}${separator}${reference}`,
    method,
    path: `${path}/manifests/${reference}`,
    query: "",
    scope,
    headers: { Accept: acceptManifests },
    load: "whole",
  };
}

async function readManifest(
  operations: Operations,
  reply: Reply,
  wanted: Digest | undefined,
): Promise<Answer<ManifestBody>> {
  const { answered, signal } = reply;
  const { response, target } = answered;
  const { host } = target.url;
  const unwanted = response.status === 200 ? refusedEncoding(answered) : meaningOf(answered, operations.clock);
  if (unwanted !== undefined) {
    await discard(response, signal);
    return unwanted;
  }
  const read = await readWhole(response, { host, maxBytes: manifestMaxBytes, signal });
  if (read.kind === "unavailable") return read;
  const { bytes } = read;
  const said = saidDigest(response.headers);
  for (const expected of [wanted, said]) {
    if (expected !== undefined && digestOf(algorithmOf(expected), bytes) !== expected)
      return wrongBytes(host, expected);
  }
  if (wanted === undefined && said === undefined && isEndUnknown(response.headers)) {
    return unavailable(
      "refused",
      `${host} answered with neither a length nor a digest, so that a cut would not be seen`,
    );
  }
  const mediaType = bareMediaType(response.headers.get("content-type")) ?? mediaTypeOf(bytes);
  if (mediaType === undefined) return unavailable("refused", `${host} answered with something that has no media type`);
  return { kind: "found", bytes, digest: wanted ?? said ?? digestOf("sha256", bytes), mediaType };
}

/** The digest a registry gives for what it answers; what is no digest says nothing. */
function saidDigest(headers: Headers): Digest | undefined {
  return parseDigest(headers.get("docker-content-digest")?.trim() ?? "");
}

function digestOf(algorithm: DigestAlgorithm, bytes: Uint8Array): Digest {
  return digestFrom(algorithm, new Bun.CryptoHasher(algorithm).update(bytes).digest("hex"));
}

/** A body that ends when its connection does looks whole when it is cut (RFC 9112, 8). */
function isEndUnknown(headers: Headers): boolean {
  return !headers.has("content-length") && !headers.has("transfer-encoding");
}

/** What a manifest says it is; an OCI one need not say it, but has to be one of two things. OCI image spec, manifest.md. */
function mediaTypeOf(bytes: Uint8Array): string | undefined {
  try {
    const document: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof document !== "object" || document === null) return undefined;
    if ("mediaType" in document && typeof document.mediaType === "string") return bareMediaType(document.mediaType);
    if ("manifests" in document) return mediaTypes.ociIndex;
    return "layers" in document ? mediaTypes.ociManifest : undefined;
  } catch {
    return undefined;
  }
}

function wrongBytes(host: string, expected: Digest): Unavailable {
  return unavailable("wrong-bytes", `${host} answered with other bytes than those of ${expected}`);
}
