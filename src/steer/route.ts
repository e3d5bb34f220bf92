import type { RedirectSettings, Settings, Upstream } from "../config/settings.ts";
import { Failure } from "../errors/failure.ts";
import { isSignatureTag } from "../manifest/referrer-tags.ts";
import type { Digest } from "../reference/digest.ts";
import type { RegistryHost } from "../reference/host.ts";
import type { Repository } from "../reference/repository.ts";
import type { PullEndpoint } from "../rules/decide.ts";
import { type BucketChoice, type BucketOrder, type ClientPlace, orderBuckets } from "./bucket-choice.ts";
import type { Presence } from "./events.ts";
import { forwardedQuery } from "./forwarded-query.ts";
import { type Holder, signaturesHolder, upstreamHolder } from "./holder.ts";

/** Where a client is sent. */
export interface Located {
  readonly kind: "located";
  /** Absolute URL, made from configured ones and a checked repository, reference and query. */
  readonly location: string;
  /** "upstream", "signatures" or the bucket's name. */
  readonly source: string;
  /** Where the client is, for blobs whose place counts. */
  readonly place: ClientPlace | undefined;
  /** True when this request waited for a holder's answer. */
  readonly probed: boolean;
}

/** A place that a digest may be at. Its location is what a HEAD is sent to, too. */
export interface Candidate {
  readonly source: string;
  readonly location: string;
  readonly holder: Holder;
}

/** Places that must be known to hold a digest, in order; and where to go when none of them decides. */
export interface Chain {
  readonly kind: "probe";
  readonly candidates: readonly Candidate[];
  readonly otherwise: Located;
}

/** Where a request goes, or what must be known first. */
export type Route = Located | Chain;

/** What is to be located: the part of a decision to redirect that counts here. */
export interface Wanted {
  readonly upstream: RegistryHost;
  readonly repository: Repository;
  readonly endpoint: PullEndpoint;
}

/** Routes for one configuration. Pure; throws CONFIG_INVALID for an upstream that the configuration does not have. */
export interface Router {
  route(wanted: Wanted, query: string, place: ClientPlace | undefined): Route;
}

/** A registry's place in routes: `prefix` is what a repository is put behind. */
interface Registry {
  readonly source: string;
  readonly prefix: string;
  readonly holder: Holder;
}

interface Registries {
  readonly cloud: Upstream["cloud"];
  readonly upstream: Registry;
  /** Where signatures are kept, when that is elsewhere. */
  readonly signatures: Registry | undefined;
}

/** Makes the routes of a configuration; what they have in common is put together once. */
export function createRouter({ upstreams, redirect }: Pick<Settings, "upstreams" | "redirect">): Router {
  const buckets = orderBuckets(redirect.buckets);
  const registries = new Map([...upstreams].map(([host, upstream]) => [host, registriesOf(upstream, redirect)]));
  return {
    route(wanted, query, place) {
      const found = registries.get(wanted.upstream);
      if (found === undefined) {
        const message = `there is no upstream ${wanted.upstream} to redirect to; add it to upstreams`;
        throw new Failure({ code: "CONFIG_INVALID", message });
      }
      return routeOf(found, wanted, { query, place, buckets });
    },
  };
}

/** A candidate decides the route by what is known of it: a bucket by holding the digest, a registry by not denying it. */
export function isTaken({ holder }: Candidate, presence: Presence): boolean {
  return holder.kind === "bucket" ? presence === "held" : presence !== "absent";
}

function registriesOf(upstream: Upstream, { signatures }: RedirectSettings): Registries {
  const path = upstream.path === "" ? "/v2/" : `/v2/${upstream.path}/`;
  const own = { source: "upstream", prefix: upstream.url + path, holder: upstreamHolder(upstream) };
  const isElsewhere = signatures !== undefined && signatures !== upstream.url;
  return {
    cloud: upstream.cloud,
    upstream: own,
    signatures: isElsewhere
      ? { source: "signatures", prefix: signatures + path, holder: signaturesHolder(signatures, upstream) }
      : undefined,
  };
}

interface Circumstances {
  readonly query: string;
  readonly place: ClientPlace | undefined;
  readonly buckets: BucketOrder;
}

function routeOf(
  registries: Registries,
  { repository, endpoint }: Wanted,
  { query, place, buckets }: Circumstances,
): Route {
  const { upstream, signatures = upstream } = registries;
  switch (endpoint.kind) {
    case "manifest": {
      const registry = isSignatureTag(endpoint.tag) ? signatures : upstream;
      return at(registry, `${repository}/manifests/${endpoint.tag}`);
    }
    case "tags":
      return at(upstream, `${repository}/tags/list${forwardedQuery("tags", query)}`);
    case "referrers":
      return at(signatures, `${repository}/referrers/${endpoint.digest}${forwardedQuery("referrers", query)}`);
    case "manifest-by-digest":
      return byDigest(registries, `${repository}/manifests/${endpoint.digest}`, { candidates: [], place: undefined });
    case "blob": {
      const isHome = place !== undefined && place.cloud === registries.cloud;
      const candidates: Candidate[] = [];
      if (!isHome) for (const choice of buckets.for(place)) candidates.push(inBucket(choice, endpoint.digest));
      return byDigest(registries, `${repository}/blobs/${endpoint.digest}`, { candidates, place });
    }
  }
}

/** Where content may be nearer than at the upstream, and who wants it. */
interface Nearer {
  readonly candidates: Candidate[];
  readonly place: ClientPlace | undefined;
}

/**
 * Content by digest: a bucket that holds it; else the upstream, unless it says that it has not what signatures may have.
 * Adds the registries to the candidates given.
 */
function byDigest({ upstream, signatures }: Registries, path: string, { candidates, place }: Nearer): Route {
  const otherwise = at(upstream, path, place);
  if (signatures !== undefined) candidates.push(candidateAt(upstream, path), candidateAt(signatures, path));
  return candidates.length === 0 ? otherwise : { kind: "probe", candidates, otherwise };
}

function inBucket({ holder, prefix }: BucketChoice, digest: Digest): Candidate {
  return { source: holder.name, location: prefix + digest, holder };
}

function candidateAt({ source, prefix, holder }: Registry, path: string): Candidate {
  return { source, location: prefix + path, holder };
}

function at({ source, prefix }: Registry, path: string, place?: ClientPlace): Located {
  return { kind: "located", location: prefix + path, source, place, probed: false };
}
