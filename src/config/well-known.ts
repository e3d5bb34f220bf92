import { parseHost, type RegistryHost } from "../reference/host.ts";

/** A public registry that many images are named by, and what must be known to pull from it. */
export interface WellKnownRegistry {
  readonly host: RegistryHost;
  /** Scheme and authority, no slash at the end. */
  readonly url: string;
  /** Hosts beside its own that give tokens for it. */
  readonly tokenHosts: readonly string[];
}

interface Row {
  readonly host: string;
  /** Where it is reached, when not at https://HOST. */
  readonly url?: string;
  /** Who gives its tokens, when it is not HOST itself or nobody. */
  readonly tokenHosts?: readonly string[];
  /** Hosts that blob requests have been seen to be sent on to. All are public, so none of them needs to be allowed. */
  readonly blobsAt: string;
}

const rows: readonly Row[] = [
  {
    host: "docker.io",
    url: "https://registry-1.docker.io",
    tokenHosts: ["auth.docker.io"],
    blobsAt: "*.cloudflare.docker.com, *.r2.cloudflarestorage.com",
  },
  { host: "registry.k8s.io", blobsAt: "*.pkg.dev, *.s3.dualstack.REGION.amazonaws.com; manifests *.pkg.dev" },
  { host: "quay.io", blobsAt: "cdn*.quay.io, *.s3.amazonaws.com" },
  { host: "ghcr.io", blobsAt: "pkg-containers.githubusercontent.com" },
  { host: "gcr.io", blobsAt: "itself, storage.googleapis.com" },
  { host: "us.gcr.io", blobsAt: "itself, storage.googleapis.com" },
  { host: "eu.gcr.io", blobsAt: "itself, storage.googleapis.com" },
  { host: "asia.gcr.io", blobsAt: "itself, storage.googleapis.com" },
  { host: "mirror.gcr.io", blobsAt: "itself, storage.googleapis.com" },
  { host: "public.ecr.aws", blobsAt: "*.cloudfront.net" },
  { host: "mcr.microsoft.com", blobsAt: "*.data.mcr.microsoft.com" },
  {
    host: "registry.gitlab.com",
    tokenHosts: ["gitlab.com"],
    blobsAt: "cdn.registry.gitlab-static.net, storage.googleapis.com",
  },
  { host: "nvcr.io", blobsAt: "layers.nvcr.io" },
  { host: "cgr.dev", blobsAt: "*.r2.cloudflarestorage.com" },
  { host: "docker.elastic.co", tokenHosts: ["docker-auth.elastic.co"], blobsAt: "*.r2.cloudflarestorage.com" },
  { host: "registry.access.redhat.com", blobsAt: "cdn*.quay.io" },
  { host: "registry.fedoraproject.org", blobsAt: "cdn.registry.fedoraproject.org" },
  { host: "container-registry.oracle.com", blobsAt: "*.oraclecloud.com" },
];

/** The well-known public registries by host. Which is a matter of use, not of trust: each can be named only where `wellKnown` is on. */
export const wellKnownRegistries: ReadonlyMap<RegistryHost, WellKnownRegistry> = new Map(
  rows.flatMap((row) => {
    const host = parseHost(row.host);
    if (host === undefined) return [];
    return [[host, { host, url: row.url ?? `https://${host}`, tokenHosts: row.tokenHosts ?? [] }] as const];
  }),
);
