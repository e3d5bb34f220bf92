import { bareMediaType, mediaTypes } from "../manifest/media-types.ts";
import type { Digest } from "../reference/digest.ts";
import type { Repository } from "../reference/repository.ts";
import { discard, readWhole } from "./body.ts";
import type { Operations } from "./operations.ts";
import { nextQuery } from "./page-query.ts";
import type { Answer, CallLimits, Page } from "./remote.ts";
import { placeOf } from "./repository-path.ts";
import type { RegistryRequest } from "./request.ts";
import { meaningOf, refusedEncoding } from "./statuses.ts";
import { explained } from "./unavailable.ts";

/** Which page of a repository's list. */
export interface ListQuestion extends PageQuestion {
  readonly repository: Repository;
}

/** Which page of a list, and within which limits. */
export interface PageQuestion {
  /** The part after `?`, reduced to what belongs to the registry. */
  readonly query: string;
  readonly limits: CallLimits;
}

const pageMaxBytes = 4 * 1024 * 1024;

/** A page of a repository's tags. OCI distribution spec v1.1, end-8. */
export async function listTags(operations: Operations, question: ListQuestion): Promise<Answer<Page>> {
  const { path, scope } = placeOf(operations.upstream, question.repository);
  return await list(operations, question, {
    asked: `tag list ${operations.upstream.host}/${question.repository}`,
    path: `${path}/tags/list`,
    scope,
    accept: "application/json",
  });
}

/** A page of the registry's repositories, by the names that it has for them. Distribution's catalog; absent where there is none. */
export async function listRepositories(operations: Operations, question: PageQuestion): Promise<Answer<Page>> {
  return await list(operations, question, {
    asked: `list of repositories of ${operations.upstream.host}`,
    path: "/v2/_catalog",
    scope: "registry:catalog:*",
    accept: "application/json",
  });
}

/** A page of what refers to a manifest. OCI distribution spec v1.1, end-12; absent where a registry does not know the question. */
export async function listReferrers(
  operations: Operations,
  question: ListQuestion,
  digest: Digest,
): Promise<Answer<Page>> {
  const { path, scope } = placeOf(operations.upstream, question.repository);
  return await list(operations, question, {
    asked: `referrers of ${digest} in ${operations.upstream.host}/${question.repository}`,
    path: `${path}/referrers/${digest}`,
    scope,
    accept: `${mediaTypes.ociIndex}, application/json;q=0.5`,
  });
}

interface List {
  readonly asked: string;
  readonly path: string;
  readonly scope: string;
  readonly accept: string;
}

async function list(operations: Operations, question: PageQuestion, list: List): Promise<Answer<Page>> {
  const { clock } = operations;
  const request: RegistryRequest = {
    asked: `GET of the ${list.asked}`,
    method: "GET",
    path: list.path,
    query: question.query,
    scope: list.scope,
    headers: { Accept: list.accept },
    load: "whole",
  };
  const reply = await operations.call(request, question.limits);
  if (reply.kind === "unavailable") return reply;
  const { answered, signal } = reply;
  const { headers, status } = answered.response;
  try {
    const unwanted = status === 200 ? refusedEncoding(answered) : meaningOf(answered, clock);
    if (unwanted !== undefined) {
      await discard(answered.response, signal);
      return explained(request.asked, unwanted);
    }
    const host = answered.target.url.host;
    const read = await readWhole(answered.response, { host, maxBytes: pageMaxBytes, signal });
    if (read.kind === "unavailable") return explained(request.asked, read);
    return {
      kind: "found",
      bytes: read.bytes,
      mediaType: bareMediaType(headers.get("content-type")) ?? "application/json",
      nextQuery: nextQuery(headers.get("link")),
      filtersApplied: headers.get("oci-filters-applied") ?? undefined,
    };
  } finally {
    reply.close();
  }
}
