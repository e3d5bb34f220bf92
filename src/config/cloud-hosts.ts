import type { Cloud } from "./settings.ts";

/** The cloud that a registry's own host name tells, and the region where it tells that too. */
export interface CloudPlace {
  readonly cloud: Cloud;
  readonly region: string | undefined;
}

/** Ends of host names, whole labels, and what they tell. The first that fits decides. */
const suffixes: readonly (readonly [suffix: string, cloud: Cloud])[] = [
  ["pkg.dev", "gcp"],
  ["gcr.io", "gcp"],
  ["public.ecr.aws", "aws"],
  ["azurecr.io", "azure"],
  ["mcr.microsoft.com", "azure"],
];

/** ACCOUNT.dkr.ecr.REGION.amazonaws.com, also FIPS and China, and the dual-stack ACCOUNT.dkr-ecr.REGION.on.aws. */
const privateEcr = /^[0-9]{12}\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com|amazonaws\.com\.cn|on\.aws)$/;
/** REGION-docker.pkg.dev; the multi-regions us, europe and asia have no dash before a digit and are no region. */
const artifactRegistry = /^([a-z]+-[a-z]+[0-9]+)-docker\.pkg\.dev$/;

/** Where a registry is by its host name (lower case, no port); `undefined` when the name does not tell. */
export function cloudOfHost(hostname: string): CloudPlace | undefined {
  const ecrRegion = privateEcr.exec(hostname)?.[1];
  if (ecrRegion !== undefined) return { cloud: "aws", region: ecrRegion };
  const found = suffixes.find(([suffix]) => hostname === suffix || hostname.endsWith(`.${suffix}`));
  return found === undefined ? undefined : { cloud: found[1], region: artifactRegistry.exec(hostname)?.[1] };
}
