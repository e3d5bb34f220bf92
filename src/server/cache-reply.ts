import type { ManifestMirror } from "../mirror/manifests.ts";
import type { Pull } from "../mirror/pull.ts";
import { parseAddress } from "../net/address.ts";
import { pageQuery } from "../registry/page-query.ts";
import type { Decision } from "../rules/decide.ts";
import { type Access, challengeReply, identify } from "./access.ts";
import { blobHeadReply, blobReply } from "./blob-reply.ts";
import { manifestReply } from "./manifest-reply.ts";
import { pageReply } from "./page-reply.ts";
import type { Notes } from "./record.ts";
import { errorReply } from "./replies.ts";
import { isPrivate, type Mirrors, type Serving } from "./serving.ts";
import type { Target } from "./target.ts";

/** A decision to answer from the cache. */
export type CacheDecision = Extract<Decision, { readonly kind: "cache" | "redirect" }>;

/** A request for the cache, as far as the answer needs it. */
export interface CacheRequest {
  readonly request: Request;
  readonly target: Target;
  readonly clientAddress: string;
  readonly decision: CacheDecision;
}

type Reply = Response | Promise<Response>;

/** Answers a pull by a cache rule: who may, then what is held, then the upstream. At once where nothing is waited for. */
export function cacheReply(serving: Serving, asked: CacheRequest, notes: Notes): Reply {
  const address = parseAddress(asked.clientAddress);
  if (address === undefined || !serving.clients.contains(address)) {
    return errorReply(
      403,
      "DENIED",
      "this address may not pull through the cache; it is not among the configured clients",
    );
  }
  const { mirrors, access } = serving;
  if (mirrors === undefined) return errorReply(500, "UNAVAILABLE", "this process was started without a storage folder");
  if (access === undefined) return contentReply(mirrors, asked, notes);
  return refuseIdentity(serving, access, asked, notes).then(
    (refused) => refused ?? contentReply(mirrors, asked, notes),
  );
}

function contentReply(mirrors: Mirrors, { request, target, decision }: CacheRequest, notes: Notes): Reply {
  const { endpoint, rule, upstream, repository } = decision;
  const pull: Pull = { place: { upstream, repository }, rule };
  const isHead = request.method === "HEAD";
  switch (endpoint.kind) {
    case "manifest":
    case "manifest-by-digest": {
      const recent = mirrors.manifests.recent(pull, endpoint.kind === "manifest" ? endpoint.tag : endpoint.digest);
      if (recent !== undefined) return manifestReply(recent, request.method, upstream, notes);
      return manifestOf(mirrors, pull, endpoint, isHead).then((found) =>
        manifestReply(found, request.method, upstream, notes),
      );
    }
    case "blob": {
      const asked = { pull, digest: endpoint.digest, headers: request.headers };
      return isHead ? blobHeadReply(mirrors.blobs, asked, notes) : blobReply(mirrors.blobs, asked, notes);
    }
    case "tags":
      return mirrors.pages
        .tags(pull, pageQuery(target.query))
        .then((found) => pageReply(found, target, upstream, notes));
    case "referrers":
      return mirrors.pages
        .referrers(pull, endpoint.digest, pageQuery(target.query))
        .then((found) => pageReply(found, target, upstream, notes));
  }
}

type ManifestEndpoint = Extract<CacheDecision["endpoint"], { readonly kind: "manifest" | "manifest-by-digest" }>;

function manifestOf(
  { manifests }: Mirrors,
  pull: Pull,
  endpoint: ManifestEndpoint,
  isHead: boolean,
): ReturnType<ManifestMirror["headByTag"]> {
  if (endpoint.kind === "manifest")
    return isHead ? manifests.headByTag(pull, endpoint.tag) : manifests.byTag(pull, endpoint.tag);
  return isHead ? manifests.headByDigest(pull, endpoint.digest) : manifests.byDigest(pull, endpoint.digest);
}

/** Why this client may not have this for who it is, or `undefined`. */
async function refuseIdentity(
  serving: Serving,
  access: Access,
  { request, decision }: CacheRequest,
  notes: Notes,
): Promise<Response | undefined> {
  const upstream = serving.settings.upstreams.get(decision.upstream);
  const needsUser = upstream === undefined || isPrivate(upstream);
  const authorization = request.headers.get("authorization");
  if (authorization === null && !needsUser) return undefined;
  const identity = await identify(access, authorization);
  if (identity?.kind === "user") notes.user = identity.name;
  if (identity !== undefined && (identity.kind === "user" || !needsUser)) return undefined;
  return challengeReply(request.url, { repository: decision.endpoint.name, action: "pull" });
}
