import { mediaTypes } from "../../manifest/media-types.ts";
import type { Digest } from "../../reference/digest.ts";
import type { Repository } from "../../reference/repository.ts";
import type { HostedIndex } from "../../store/hosted-index.ts";
import { errorReply, ownHeaders } from "../replies.ts";
import { addressOf, type HostedRequest } from "./hosted.ts";

const listMax = 10_000;
/** Descriptors of a page of referrers: each is at most as large as its manifest's annotations, so that a page is bounded too. */
const referrersMax = 500;
const referrersMaxBytes = 4_000_000;

/** GET of a list of tags. OCI distribution spec v1.1, "Listing Tags". */
export async function tagsReply(asked: HostedRequest): Promise<Response> {
  const { hosted, repository, query } = asked;
  const limit = limitOf(query);
  if (limit === undefined) return badLimit();
  if (!(await hosted.index.has(repository))) return nameUnknown(repository);
  const tags = await hosted.index.tags(repository, query.get("last") ?? "", limit + 1);
  const page = tags.slice(0, limit);
  const more = queryOf({ n: limit, last: page.at(-1) });
  const link = limit > 0 && tags.length > limit ? nextLink(addressOf(asked, "tags/list", more)) : {};
  return Response.json({ name: repository, tags: page }, { headers: { ...ownHeaders, ...link } });
}

/** GET of the names of repositories that the client may see. */
export async function catalogReply(
  index: HostedIndex,
  query: URLSearchParams,
  mayPull: (repository: Repository) => boolean,
): Promise<Response> {
  const limit = limitOf(query);
  if (limit === undefined) return badLimit();
  const names: Repository[] = [];
  let last = query.get("last") ?? "";
  while (names.length <= limit) {
    const some = await index.repositories(last, limit + 1);
    names.push(...some.filter(mayPull));
    const next = some.at(-1);
    if (next === undefined || some.length <= limit) break;
    last = next;
  }
  const page = names.slice(0, limit);
  const link =
    limit > 0 && names.length > limit ? nextLink(`/v2/_catalog?${queryOf({ n: limit, last: page.at(-1) })}`) : {};
  return Response.json({ repositories: page }, { headers: { ...ownHeaders, ...link } });
}

/** GET of what refers to a manifest, which need not be there. OCI distribution spec v1.1, "Listing Referrers". */
export async function referrersReply(asked: HostedRequest, subject: Digest): Promise<Response> {
  const { hosted, repository, query } = asked;
  // A bare + reads as a space in a query. No media type has one, and many a `+json` is sent so.
  const artifactType = query.get("artifactType")?.replaceAll(" ", "+");
  const after = query.get("last") ?? "";
  const found = await hosted.index.referrers(repository, { subject, artifactType, after, limit: referrersMax + 1 });
  let sizeBytes = 0;
  const page = found
    .slice(0, referrersMax)
    .filter(({ descriptor }, i) => (sizeBytes += Buffer.byteLength(descriptor)) <= referrersMaxBytes || i === 0);
  const last = page.at(-1)?.digest;
  const more = queryOf({ last, artifactType });
  const link = found.length > page.length ? nextLink(addressOf(asked, `referrers/${subject}`, more)) : {};
  const filtered: Record<string, string> = artifactType === undefined ? {} : { "OCI-Filters-Applied": "artifactType" };
  const manifests = page.map(({ descriptor }) => descriptor).join(",");
  const body = `{"schemaVersion":2,"mediaType":"${mediaTypes.ociIndex}","manifests":[${manifests}]}`;
  return new Response(body, { headers: { ...ownHeaders, "Content-Type": mediaTypes.ociIndex, ...filtered, ...link } });
}

/** `n` of a list; `undefined` when it is no number. */
function limitOf(query: URLSearchParams): number | undefined {
  const n = query.get("n");
  if (n === null) return listMax;
  return /^\d{1,9}$/.test(n) ? Math.min(Number(n), listMax) : undefined;
}

function queryOf(values: Readonly<Record<string, string | number | undefined>>): URLSearchParams {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(values)) if (value !== undefined) query.set(key, String(value));
  return query;
}

function nextLink(address: string): Record<string, string> {
  return { Link: `<${address}>; rel="next"` };
}

function badLimit(): Response {
  return errorReply(400, "PAGINATION_NUMBER_INVALID", "n is not a whole number", ownHeaders);
}

function nameUnknown(repository: Repository): Response {
  return errorReply(404, "NAME_UNKNOWN", `there is no repository ${repository} here; a push makes it`, ownHeaders);
}
