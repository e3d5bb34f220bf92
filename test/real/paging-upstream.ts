import { type Endpoint, get } from "./endpoint.ts";
import type { Descriptor } from "./layout.ts";

/** What a registry with the referrers API knows and distribution does not: who refers to what. */
interface Referrers {
  /** Digest of the subject. */
  readonly of: string;
  readonly referrers: readonly Descriptor[];
}

/** A registry in front of distribution that has the referrers API, and gives every list in pages of a few entries. */
export interface PagingUpstream extends AsyncDisposable {
  readonly endpoint: Endpoint;
  /** Path and query of each request for a list. */
  readonly asked: readonly string[];
}

const INDEX_TYPE = "application/vnd.oci.image.index.v1+json";

/** Starts it on a free port. OCI distribution spec v1.1, "Listing Tags" and "Listing Referrers". */
export function startPagingUpstream(behind: Endpoint, pageSize: number, known: Referrers): PagingUpstream {
  const asked: string[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    development: false,
    fetch: async (request) => {
      const { pathname, search, searchParams } = new URL(request.url);
      const accept = request.headers.get("accept") ?? "*/*";
      const isTags = pathname.endsWith("/tags/list");
      const isReferrers = pathname.includes("/referrers/");
      if (isTags || isReferrers) asked.push(`${pathname}${search}`);
      if (isReferrers) return referrersReply(known, pathname, searchParams, pageSize);
      if (!isTags) return get(behind, `${pathname}${search}`, { method: request.method, headers: { accept } });
      const { name, tags } = (await (await get(behind, pathname)).json()) as { name: string; tags: readonly string[] };
      const after = tags.filter((tag) => tag > (searchParams.get("last") ?? ""));
      const page = after.slice(0, Math.min(pageSize, Number(searchParams.get("n") ?? pageSize)));
      const isLast = page.length === after.length;
      return Response.json({ name, tags: page }, { headers: isLast ? {} : link(pathname, `last=${page.at(-1)}`) });
    },
  });
  return {
    endpoint: { host: `127.0.0.1:${server.port}`, scheme: "http" },
    asked,
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

function referrersReply(known: Referrers, path: string, query: URLSearchParams, pageSize: number): Response {
  const type = query.get("artifactType");
  const all = path.endsWith(known.of) ? known.referrers : [];
  const wanted = all.filter(({ artifactType }) => type === null || artifactType === type);
  const start = Number(query.get("page") ?? 0);
  const manifests = wanted.slice(start, start + pageSize);
  const next = new URLSearchParams(type === null ? {} : { artifactType: type });
  next.set("page", String(start + pageSize));
  const headers = {
    "content-type": INDEX_TYPE,
    ...(type === null ? {} : { "oci-filters-applied": "artifactType" }),
    ...(start + pageSize < wanted.length ? link(path, next.toString()) : {}),
  };
  return Response.json({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests }, { headers });
}

function link(path: string, query: string): Record<string, string> {
  return { link: `<${path}?${query}>; rel="next"` };
}
