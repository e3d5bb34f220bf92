import type { Decision } from "../../rules/decide.ts";
import { resolveName } from "../../rules/resolve.ts";
import { type Asker, rightOf } from "../../rules/rights.ts";
import { parseAddress } from "../../net/address.ts";
import { challengeReply, identify } from "../access.ts";
import type { Notes } from "../record.ts";
import { errorReply } from "../replies.ts";
import type { Serving } from "../serving.ts";
import type { Target } from "../target.ts";
import { hostedBlobReply, removeBlobReply } from "./blob-reply.ts";
import type { HostedRequest, Pullable } from "./hosted.ts";
import { catalogReply, referrersReply, tagsReply } from "./list-reply.ts";
import { hostedManifestReply, putManifestReply, removeManifestReply } from "./manifest-reply.ts";
import { uploadReply, uploadsReply } from "./upload-reply.ts";

/** A decision about our own repositories. */
export type StoreDecision = Extract<Decision, { readonly kind: "store" }>;

/** A request for our own repositories, as far as the answer needs it. */
export interface StoreRequest {
  readonly request: Request;
  readonly target: Target;
  readonly clientAddress: string;
}

/** Answers for one of our own repositories: who may, then what is asked. OCI distribution spec v1.1. */
export async function storeReply(
  serving: Serving,
  asked: StoreRequest & { readonly decision: StoreDecision },
  notes: Notes,
): Promise<Response> {
  const { decision, request } = asked;
  const { rule, repository, action, endpoint } = decision;
  const asker = await askerOf(serving, asked, notes);
  if (asker instanceof Response) return asker;
  const right = rightOf(rule, asker, { action, repository, tags: [] });
  switch (right.kind) {
    case "log-in":
      return challengeReply(request.url, { repository: endpoint.name, action });
    case "denied":
      return errorReply(403, "DENIED", right.reason);
    case "allowed": {
      if (serving.hosted === undefined) return withoutStorage();
      const query = new URLSearchParams(asked.target.query);
      const pullable = pullableBy(serving, asked, asker);
      const { hosted } = serving;
      const { name } = endpoint;
      const { ns } = asked.target;
      return answer({ hosted, request, name, ns, query, rule, asker, repository, pullable }, endpoint);
    }
  }
}

/** Names of the repositories that the client may pull from. Distribution's `_catalog`, which the OCI specification does not have. */
export async function namesReply(serving: Serving, asked: StoreRequest, notes: Notes): Promise<Response> {
  const asker = await askerOf(serving, asked, notes);
  if (asker instanceof Response) return asker;
  if (serving.hosted === undefined) return withoutStorage();
  if (asker.hasUsers && asker.user === undefined) return challengeReply(asked.request.url, undefined);
  const query = new URLSearchParams(asked.target.query);
  const pullable = pullableBy(serving, asked, asker);
  // Called by another name, it is not what it would be listed as.
  return catalogReply(serving.hosted.index, query, (repository) => pullable(repository) === repository);
}

/** Resolves a name as if this request had it in its path: the rule that is for it says who may. */
function pullableBy(serving: Serving, { request, target }: StoreRequest, asker: Asker): Pullable {
  const host = serving.readsHost ? (request.headers.get("host") ?? undefined) : undefined;
  return (name) => {
    const found = resolveName(serving.registries, { name, ns: target.ns, host });
    if (found.kind === "unresolved" || found.rule.serve !== "store") return undefined;
    const { rule, repository } = found;
    return rightOf(rule, asker, { action: "pull", repository, tags: [] }).kind === "allowed" ? repository : undefined;
  };
}

async function answer(asked: HostedRequest, endpoint: StoreDecision["endpoint"]): Promise<Response> {
  const { method } = asked.request;
  switch (endpoint.kind) {
    case "manifest":
    case "manifest-by-digest": {
      const reference = endpoint.kind === "manifest" ? endpoint.tag : endpoint.digest;
      if (method === "PUT") return putManifestReply(asked, reference);
      return method === "DELETE" ? removeManifestReply(asked, reference) : hostedManifestReply(asked, reference);
    }
    case "blob":
      return method === "DELETE" ? removeBlobReply(asked, endpoint.digest) : hostedBlobReply(asked, endpoint.digest);
    case "tags":
      return tagsReply(asked);
    case "referrers":
      return referrersReply(asked, endpoint.digest);
    case "uploads":
      return uploadsReply(asked);
    case "upload":
      return uploadReply(asked, endpoint.id);
  }
}

/** Who asks, or the answer to somebody who is not let in at all. */
async function askerOf(
  { clients, access, isOnLoopback }: Serving,
  { request, clientAddress }: StoreRequest,
  notes: Notes,
): Promise<Asker | Response> {
  const address = parseAddress(clientAddress);
  if (address === undefined || !clients.contains(address)) {
    return errorReply(403, "DENIED", "this address may not ask here; it is not among the configured clients");
  }
  if (access === undefined) return { user: undefined, hasUsers: false, isOnLoopback };
  const authorization = request.headers.get("authorization");
  const identity = authorization === null ? undefined : await identify(access, authorization);
  if (authorization !== null && identity === undefined) return challengeReply(request.url, undefined);
  const user = identity?.kind === "user" ? identity.name : undefined;
  if (user !== undefined) notes.user = user;
  return { user, hasUsers: true, isOnLoopback };
}

function withoutStorage(): Response {
  return errorReply(500, "UNAVAILABLE", "this process was started without a storage folder");
}
