import type { RegistryHost } from "../reference/host.ts";

/** An account's registry at Amazon ECR. */
export interface EcrPlace {
  /** Twelve digits. */
  readonly account: string;
  readonly region: string;
  /** Where its API is, without a slash at the end. */
  readonly endpoint: string;
}

const ecrHost = /^([0-9]{12})\.dkr\.ecr\.([a-z]{2,}(?:-[a-z0-9]+)+)\.(amazonaws\.com(?:\.cn)?)$/;

/** Reads `ACCOUNT.dkr.ecr.REGION.amazonaws.com`; `undefined` for any other host. `endpoint` stands above the region's own. */
export function ecrPlaceOf(host: RegistryHost, endpoint?: string): EcrPlace | undefined {
  const [, account, region, domain] = ecrHost.exec(host) ?? [];
  if (account === undefined || region === undefined || domain === undefined) return undefined;
  return { account, region, endpoint: endpoint?.replace(/\/+$/, "") || `https://api.ecr.${region}.${domain}` };
}
