import { expect, test } from "bun:test";
import { Failure } from "../errors/failure.ts";
import { parseEndpoint } from "../reference/endpoint.ts";
import type { RegistryHost } from "../reference/host.ts";
import type { Repository } from "../reference/repository.ts";
import { upstreamAt } from "../registry/testing/upstream.ts";
import type { ClientPlace } from "./bucket-choice.ts";
import { createRouter, type Route, type Router, type Wanted } from "./route.ts";
import { bucketOf } from "./testing/holders.ts";

const hex = "0123456789abcdef".repeat(4);
const digest = `sha256:${hex}`;
const own = "https://registry.example";
const canonical = "https://signatures.example";
const gcp = { cloud: "gcp", region: "us-central1" } as const;
const aws = { cloud: "aws", region: "us-east-1" } as const;

function routerWith(signatures: string | undefined, path = ""): Router {
  const upstream = upstreamAt(own, { path, cloud: "gcp" });
  const buckets = [bucketOf("near", { cloud: "aws", regions: ["us-east-1"] }), bucketOf("far", { isDefault: true })];
  const redirect = { buckets, signatures, info: undefined, privacy: undefined, cloudRanges: undefined };
  return createRouter({ upstreams: new Map([[upstream.host, upstream]]), redirect });
}

function wantedBy(path: string): Wanted {
  const endpoint = parseEndpoint(path);
  if (!("name" in endpoint) || endpoint.kind === "uploads" || endpoint.kind === "upload")
    throw new Error(`${path} names no repository`);
  return { upstream: "registry.test" as RegistryHost, repository: endpoint.name as Repository, endpoint };
}

/** What a route says, each place as its source and its location. */
function described(route: Route): readonly string[] {
  if (route.kind === "located") return [`${route.source} ${route.location}`];
  const candidates = route.candidates.map(({ source, location }) => `${source}? ${location}`);
  return [...candidates, `${route.otherwise.source} ${route.otherwise.location}`];
}

const blobs = `/v2/a/b/blobs/${digest}`;
const manifests = `/v2/a/b/manifests/${digest}`;
const near = `near? https://near.example/images/${digest}`;
const far = `far? https://far.example/images/${digest}`;

test.each<[string | undefined, string, ClientPlace | undefined, readonly string[]]>([
  [undefined, "/v2/a/b/manifests/latest", aws, [`upstream ${own}/v2/a/b/manifests/latest`]],
  [undefined, "/v2/a/b/tags/list", aws, [`upstream ${own}/v2/a/b/tags/list`]],
  [undefined, `/v2/a/b/manifests/sha256-${hex}.sig`, aws, [`upstream ${own}/v2/a/b/manifests/sha256-${hex}.sig`]],
  [undefined, `/v2/a/b/referrers/${digest}`, aws, [`upstream ${own}/v2/a/b/referrers/${digest}`]],
  [undefined, manifests, aws, [`upstream ${own}${manifests}`]],
  [undefined, blobs, aws, [near, far, `upstream ${own}${blobs}`]],
  [undefined, blobs, undefined, [far, `upstream ${own}${blobs}`]],
  [undefined, blobs, gcp, [`upstream ${own}${blobs}`]],
  [own, blobs, gcp, [`upstream ${own}${blobs}`]],
  [own, `/v2/a/b/manifests/sha256-${hex}.sig`, gcp, [`upstream ${own}/v2/a/b/manifests/sha256-${hex}.sig`]],
  [canonical, "/v2/a/b/manifests/latest", aws, [`upstream ${own}/v2/a/b/manifests/latest`]],
  [canonical, "/v2/a/b/tags/list", aws, [`upstream ${own}/v2/a/b/tags/list`]],
  [canonical, `/v2/a/b/manifests/sha256-${hex}`, aws, [`signatures ${canonical}/v2/a/b/manifests/sha256-${hex}`]],
  [canonical, `/v2/a/b/referrers/${digest}`, aws, [`signatures ${canonical}/v2/a/b/referrers/${digest}`]],
  [
    canonical,
    manifests,
    undefined,
    [`upstream? ${own}${manifests}`, `signatures? ${canonical}${manifests}`, `upstream ${own}${manifests}`],
  ],
  [canonical, blobs, gcp, [`upstream? ${own}${blobs}`, `signatures? ${canonical}${blobs}`, `upstream ${own}${blobs}`]],
  [
    canonical,
    blobs,
    aws,
    [near, far, `upstream? ${own}${blobs}`, `signatures? ${canonical}${blobs}`, `upstream ${own}${blobs}`],
  ],
])("signatures %j, %s for %j", (signatures, path, place, expected) => {
  expect(described(routerWith(signatures).route(wantedBy(path), "", place))).toEqual([...expected]);
});

test("the upstream's path stands before the repository, at the signatures too", () => {
  const router = routerWith(canonical, "k8s/images");
  expect(described(router.route(wantedBy("/v2/pause/tags/list"), "n=2&ns=x", undefined))).toEqual([
    `upstream ${own}/v2/k8s/images/pause/tags/list?n=2`,
  ]);
  expect(described(router.route(wantedBy(`/v2/pause/referrers/${digest}`), "artifactType=a", undefined))).toEqual([
    `signatures ${canonical}/v2/k8s/images/pause/referrers/${digest}?artifactType=a`,
  ]);
});

test("an upstream that is not configured is refused", () => {
  const wanted = { ...wantedBy(manifests), upstream: "other.example" as RegistryHost };
  expect(() => routerWith(undefined).route(wanted, "", undefined)).toThrow(Failure);
});
