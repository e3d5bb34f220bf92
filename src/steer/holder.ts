import type { Bucket, Upstream } from "../config/settings.ts";
import { Origins, type Reach } from "../registry/origins.ts";

/** A place that may hold content and can be asked by HEAD. */
export interface Holder {
  /** What the answers of a bucket and of a registry mean is not the same: see `meaningOf`. */
  readonly kind: "bucket" | "registry";
  /** Its name in metrics: the bucket's, the upstream's host, or "signatures". */
  readonly name: string;
  /** Where it is, without what is asked for. Holders of one URL share limits and breaker. */
  readonly url: string;
  readonly reach: Reach;
  readonly proxy: string | undefined;
}

/** A bucket as a holder. The operator named it, so it may be at a private address. */
export function bucketHolder({ name, url }: Bucket): Holder {
  return { kind: "bucket", name, url, reach: namedReach(url), proxy: undefined };
}

/** An upstream as a holder, reached as its settings say. */
export function upstreamHolder(upstream: Upstream): Holder {
  const { reach } = new Origins(upstream).own("/v2/", "");
  return { kind: "registry", name: upstream.host, url: upstream.url, reach, proxy: upstream.proxy };
}

/** The registry that signatures are kept at, for one upstream. The operator named it; the upstream's `ca` is not for it. */
export function signaturesHolder(url: string, { proxy }: Upstream): Holder {
  return { kind: "registry", name: "signatures", url, reach: namedReach(url), proxy };
}

/** Plain HTTP only where it is written so; the configuration allows that on loopback alone. */
function namedReach(url: string): Reach {
  return { allowHttp: url.startsWith("http:"), allowPrivate: true, ca: undefined, verify: true };
}
