import { type Digest, parseDigest } from "./digest.ts";
import { isNameFrom, parseTag, type Tag } from "./repository.ts";

/**
 * What a request to the distribution API is for, read from its path alone. `name` is what stands in the path: rules
 * turn it into an upstream and a repository. OCI distribution spec v1.1, "Endpoints".
 */
export type Endpoint =
  | { readonly kind: "base" }
  | { readonly kind: "catalog" }
  | { readonly kind: "manifest"; readonly name: string; readonly tag: Tag }
  | { readonly kind: "manifest-by-digest"; readonly name: string; readonly digest: Digest }
  | { readonly kind: "blob"; readonly name: string; readonly digest: Digest }
  | { readonly kind: "tags"; readonly name: string }
  | { readonly kind: "referrers"; readonly name: string; readonly digest: Digest }
  /** Where uploads of blobs begin. */
  | { readonly kind: "uploads"; readonly name: string }
  /** One upload that has begun; `id` is what its `Location` named. */
  | { readonly kind: "upload"; readonly name: string; readonly id: string }
  | { readonly kind: "invalid"; readonly code: "NAME_INVALID" | "DIGEST_INVALID" | "MANIFEST_INVALID" }
  | { readonly kind: "unknown" };

const unknown: Endpoint = { kind: "unknown" };
const nameInvalid: Endpoint = { kind: "invalid", code: "NAME_INVALID" };
const digestInvalid: Endpoint = { kind: "invalid", code: "DIGEST_INVALID" };
const referenceInvalid: Endpoint = { kind: "invalid", code: "MANIFEST_INVALID" };
const pathMaxLength = 700;

/**
 * Parses a path without its query, in time linear in its length. The path must be raw: a `%`, `\` or `//` left in it is
 * invalid, so that what is checked is what is used.
 */
export function parseEndpoint(path: string): Endpoint {
  if (path === "/v2/" || path === "/v2") return { kind: "base" };
  if (!path.startsWith("/v2/")) return unknown;
  if (path.length > pathMaxLength) return nameInvalid;
  const last = path.lastIndexOf("/");
  const noun = path.lastIndexOf("/", last - 1);
  if (noun < 4) return path === "/v2/_catalog" ? { kind: "catalog" } : unknown;
  const name = path.slice(4, noun);
  const reference = path.slice(last + 1);
  switch (path.slice(noun + 1, last)) {
    case "manifests":
      return manifestEndpoint(name, reference);
    case "blobs":
      // Some clients leave the last slash out.
      return reference === "uploads" ? uploadEndpoint(`${name}/blobs`, "") : byDigest("blob", name, reference);
    case "referrers":
      return byDigest("referrers", name, reference);
    case "tags":
      if (reference !== "list") return unknown;
      return isPathName(name) ? { kind: "tags", name } : nameInvalid;
    case "uploads":
      return uploadEndpoint(name, reference);
    default:
      return unknown;
  }
}

function manifestEndpoint(name: string, reference: string): Endpoint {
  if (!isPathName(name)) return nameInvalid;
  if (!reference.includes(":")) {
    const tag = parseTag(reference);
    return tag === undefined ? referenceInvalid : { kind: "manifest", name, tag };
  }
  const digest = parseDigest(reference);
  return digest === undefined ? digestInvalid : { kind: "manifest-by-digest", name, digest };
}

/** `NAME/blobs/uploads/` with nothing or an id behind it; `NAME/blobs` has come as the name. */
function uploadEndpoint(nameAndBlobs: string, id: string): Endpoint {
  if (!nameAndBlobs.endsWith("/blobs")) return unknown;
  const name = nameAndBlobs.slice(0, -"/blobs".length);
  if (!isPathName(name)) return nameInvalid;
  if (id === "") return { kind: "uploads", name };
  return /^[\w-]{1,128}$/.test(id) ? { kind: "upload", name, id } : unknown;
}

function byDigest(kind: "blob" | "referrers", name: string, reference: string): Endpoint {
  if (!isPathName(name)) return nameInvalid;
  const digest = parseDigest(reference);
  return digest === undefined ? digestInvalid : { kind, name, digest };
}

/**
 * A name in a path: a repository name whose first segment may also be a host with a port (`localhost:5000/app`), which
 * the grammar of repositories does not allow.
 */
function isPathName(name: string): boolean {
  if (isNameFrom(name, 0)) return true;
  const slash = name.indexOf("/");
  if (slash <= 0 || !isNameFrom(name, slash + 1)) return false;
  const colon = name.lastIndexOf(":", slash);
  if (colon <= 0 || slash - colon > 6) return false;
  for (let i = colon + 1; i < slash; i++) if (name.charCodeAt(i) < 48 || name.charCodeAt(i) > 57) return false;
  return slash - colon > 1 && isNameFrom(name.slice(0, colon), 0);
}
