import type { Pull } from "../mirror/pull.ts";
import { parseAddress } from "../net/address.ts";
import type { Decision } from "../rules/decide.ts";
import { challengeReply, identify } from "./access.ts";
import { blobHeadReply, blobReply } from "./blob-reply.ts";
import { manifestReply } from "./manifest-reply.ts";
import { pageReply } from "./page-reply.ts";
import type { Notes } from "./record.ts";
import { errorReply } from "./replies.ts";
import { isPrivate, type Mirrors, type Serving } from "./serving.ts";
import { keptQuery, type Target } from "./target.ts";

/** A decision to answer from the cache. */
export type CacheDecision = Extract<Decision, { readonly kind: "cache" | "redirect" }>;

/** A request for the cache, as far as the answer needs it. */
export interface CacheRequest {
  readonly request: Request;
  readonly target: Target;
  readonly clientAddress: string;
  readonly decision: CacheDecision;
}

/** Answers a pull by a cache rule: who may, then what is held, then the upstream. */
export async function cacheReply(serving: Serving, asked: CacheRequest, notes: Notes): Promise<Response> {
  const refused = await refuseAccess(serving, asked, notes);
  if (refused !== undefined) return refused;
  const { mirrors } = serving;
  if (mirrors === undefined) return errorReply(500, "UNAVAILABLE", "this process was started without a storage folder");
  return contentReply(mirrors, asked, notes);
}

function contentReply(mirrors: Mirrors, { request, target, decision }: CacheRequest, notes: Notes): Promise<Response> {
  const { endpoint, rule, upstream, repository } = decision;
  const pull: Pull = { place: { upstream, repository }, rule };
  const isHead = request.method === "HEAD";
  const reply = {
    manifest: manifestReplyOf(request.method, upstream, notes),
    page: pageReplyOf(target, upstream, notes),
  };
  switch (endpoint.kind) {
    case "manifest":
      return (
        isHead ? mirrors.manifests.headByTag(pull, endpoint.tag) : mirrors.manifests.byTag(pull, endpoint.tag)
      ).then(reply.manifest);
    case "manifest-by-digest":
      return (
        isHead
          ? mirrors.manifests.headByDigest(pull, endpoint.digest)
          : mirrors.manifests.byDigest(pull, endpoint.digest)
      ).then(reply.manifest);
    case "blob": {
      const asked = { pull, digest: endpoint.digest, headers: request.headers };
      return isHead ? blobHeadReply(mirrors.blobs, asked, notes) : blobReply(mirrors.blobs, asked, notes);
    }
    case "tags":
      return mirrors.pages.tags(pull, keptQuery(target.query, ["n", "last"])).then(reply.page);
    case "referrers":
      return mirrors.pages
        .referrers(pull, endpoint.digest, keptQuery(target.query, ["artifactType", "n", "last"]))
        .then(reply.page);
  }
}

function manifestReplyOf(
  method: string,
  upstream: string,
  notes: Notes,
): (outcome: Parameters<typeof manifestReply>[0]) => Response {
  return (outcome) => manifestReply(outcome, method, upstream, notes);
}

function pageReplyOf(
  target: Target,
  upstream: string,
  notes: Notes,
): (outcome: Parameters<typeof pageReply>[0]) => Response {
  return (outcome) => pageReply(outcome, target, upstream, notes);
}

/** Why this client may not have this, or `undefined`. The address is looked at first: it costs nothing. */
async function refuseAccess(
  serving: Serving,
  { request, clientAddress, decision }: CacheRequest,
  notes: Notes,
): Promise<Response | undefined> {
  const address = parseAddress(clientAddress);
  if (address === undefined || !serving.clients.contains(address)) {
    return errorReply(
      403,
      "DENIED",
      "this address may not pull through the cache; it is not among the configured clients",
    );
  }
  const { access } = serving;
  if (access === undefined) return undefined;
  const upstream = serving.settings.upstreams.get(decision.upstream);
  const needsUser = upstream === undefined || isPrivate(upstream);
  const authorization = request.headers.get("authorization");
  if (authorization === null && !needsUser) return undefined;
  const identity = await identify(access, authorization);
  if (identity?.kind === "user") notes.user = identity.name;
  if (identity !== undefined && (identity.kind === "user" || !needsUser)) return undefined;
  return challengeReply(new URL(request.url).origin, decision.endpoint.name);
}
