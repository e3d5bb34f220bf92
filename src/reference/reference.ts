import { type Digest, parseDigest } from "./digest.ts";
import { dockerHub, looksLikeHost, parseHost, type RegistryHost } from "./host.ts";
import { parseRepository, parseTag, type Repository, type Tag } from "./repository.ts";

/** One image as people name it: registry, repository, and a tag, a digest or both. */
export interface Reference {
  readonly host: RegistryHost;
  readonly repository: Repository;
  readonly tag: Tag | undefined;
  readonly digest: Digest | undefined;
}

/** Why a text is not a reference, in words for the person who wrote it. */
export interface ReferenceRefusal {
  readonly kind: "refused";
  readonly reason: string;
}

const referenceMaxLength = 1024;

/**
 * Parses `[host/]repository[:tag][@digest]` as Docker reads it: no host means docker.io, one segment there means
 * `library/`, neither tag nor digest means `latest`. With both, the digest decides and the tag is kept.
 */
export function parseReference(text: string): Reference | ReferenceRefusal {
  if (text.length > referenceMaxLength) return refused("it is longer than 1,024 characters");
  const at = text.indexOf("@");
  const digestText = at < 0 ? undefined : text.slice(at + 1);
  const digest = digestText === undefined ? undefined : parseDigest(digestText);
  if (digestText !== undefined && digest === undefined)
    return refused(`"${digestText}" is not a sha256 or sha512 digest`);
  const named = at < 0 ? text : text.slice(0, at);
  const colon = named.lastIndexOf(":");
  const hasTag = colon > named.lastIndexOf("/");
  const tag = hasTag ? parseTag(named.slice(colon + 1)) : undefined;
  if (hasTag && tag === undefined) return refused(`"${named.slice(colon + 1)}" is not a tag`);
  const place = parsePlace(hasTag ? named.slice(0, colon) : named);
  if ("kind" in place) return place;
  return { ...place, tag: tag ?? (digest === undefined ? ("latest" as Tag) : undefined), digest };
}

/** The one spelling of a reference: full host and repository, then tag, then digest. */
export function formatReference(reference: Reference): string {
  const tag = reference.tag === undefined ? "" : `:${reference.tag}`;
  const digest = reference.digest === undefined ? "" : `@${reference.digest}`;
  return `${reference.host}/${reference.repository}${tag}${digest}`;
}

/** The repository as its registry knows it: on docker.io a single segment is an official image under `library/`. */
export function canonicalRepository(host: RegistryHost, repository: Repository): Repository {
  if (host !== dockerHub || repository.includes("/")) return repository;
  return `library/${repository}` as Repository;
}

function parsePlace(name: string): { readonly host: RegistryHost; readonly repository: Repository } | ReferenceRefusal {
  const slash = name.indexOf("/");
  const first = slash < 0 ? "" : name.slice(0, slash);
  const isHost = looksLikeHost(first);
  const host = isHost ? parseHost(first) : dockerHub;
  if (host === undefined || !looksLikeHost(host)) return refused(`"${first}" is not a registry's host`);
  const repository = parseRepository(isHost ? name.slice(slash + 1) : name);
  if (repository === undefined) return refused(`"${isHost ? name.slice(slash + 1) : name}" is not a repository name`);
  return { host, repository: canonicalRepository(host, repository) };
}

function refused(reason: string): ReferenceRefusal {
  return { kind: "refused", reason };
}
