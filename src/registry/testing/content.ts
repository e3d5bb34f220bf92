import { type Digest, type DigestAlgorithm, digestFrom } from "../../reference/digest.ts";
import { parseRepository, parseTag, type Repository, type Tag } from "../../reference/repository.ts";
import type { RecordedRequest } from "./http-wire.ts";
import type { ScriptedReply } from "./scripted-reply.ts";

/** The digest of bytes or of a text in UTF-8. */
export function digestOf(content: Uint8Array | string, algorithm: DigestAlgorithm = "sha256"): Digest {
  return digestFrom(algorithm, new Bun.CryptoHasher(algorithm).update(content).digest("hex"));
}

/** A repository name that a test is sure of. */
export function repository(name: string): Repository {
  return certain(parseRepository(name), name);
}

/** A tag that a test is sure of. */
export function tag(name: string): Tag {
  return certain(parseTag(name), name);
}

/** The reply of a registry that has this manifest. */
export function manifestReply(
  content: string,
  mediaType = "application/vnd.oci.image.manifest.v1+json",
): ScriptedReply {
  return { headers: { "Content-Type": mediaType, "Docker-Content-Digest": digestOf(content) }, body: content };
}

/** The replies of a registry that has this blob and understands one range of it. */
export function blobReplies(content: Uint8Array): (request: RecordedRequest) => ScriptedReply {
  return (request) => {
    const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.get("range") ?? "") ?? [];
    if (first === undefined) return { body: content };
    const start = Number(first);
    const end = last === undefined || last === "" ? content.length : Math.min(Number(last) + 1, content.length);
    if (start >= content.length) return { status: 416, headers: { "Content-Range": `bytes */${content.length}` } };
    const headers = { "Content-Range": `bytes ${start}-${end - 1}/${content.length}` };
    return { status: 206, headers, body: content.subarray(start, end) };
  };
}

function certain<T>(value: T | undefined, text: string): T {
  if (value === undefined) throw new Error(`${text} is not what the test takes it for`);
  return value;
}
