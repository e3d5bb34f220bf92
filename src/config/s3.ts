import { parseAddress } from "../net/address.ts";
import { type Draft, fromFile } from "./draft.ts";
import { proxyFromEnvironment } from "./environment.ts";
import type { S3Entry } from "./file.ts";
import { isLoopback, parseOrigin } from "./place.ts";
import type { Path } from "./problem.ts";
import { parseS3Url } from "./s3-url.ts";
import type { S3CredentialsSetting, S3Settings } from "./settings.ts";

/** MinIO and its like answer to this region when nobody told them another. */
const REGION_OF_OTHERS = "us-east-1";

/**
 * A bucket from its entry, or from its text `s3://BUCKET/PREFIX?region=REGION&endpoint=URL`. What is wrong goes to the draft's findings;
 * `undefined` when nothing can be made of it.
 */
export function s3Of(draft: Draft, given: string | S3Entry, at: Path): S3Settings | undefined {
  const parsed = typeof given === "string" ? parseS3Url(given) : { kind: "bucket" as const, entry: given };
  if (parsed.kind === "refused") {
    draft.findings.problem(at, parsed.reason);
    return undefined;
  }
  const { entry } = parsed;
  const region = regionOf(draft, entry, at);
  const endpoint = endpointOf(draft, { entry, region, at });
  const pathStyle = entry.pathStyle ?? (entry.endpoint !== undefined || entry.bucket.includes("."));
  checkStyle(draft, { entry, endpoint, pathStyle, at });
  return {
    bucket: entry.bucket,
    prefix: entry.prefix ?? "",
    endpoint,
    region,
    pathStyle,
    credentials: credentialsOf(draft, entry),
    ca: authorityOf(draft, entry),
    caFile: entry.ca === undefined ? undefined : fromFile(draft, entry.ca),
    insecure: entry.insecure ?? false,
    proxy: entry.proxy ?? proxyFromEnvironment(draft.env, new URL(endpoint)),
    mayBePrivate: entry.endpoint !== undefined,
  };
}

function regionOf({ env, findings }: Draft, { region, endpoint }: S3Entry, at: Path): string {
  const known = region ?? (env["AWS_REGION"] || env["AWS_DEFAULT_REGION"] || undefined);
  if (known === undefined && endpoint === undefined) {
    findings.problem(at, "has neither region nor endpoint; add the region that the bucket is in");
  }
  return known ?? REGION_OF_OTHERS;
}

interface Placed {
  readonly entry: S3Entry;
  readonly at: Path;
}

function endpointOf({ findings }: Draft, { entry, region, at }: Placed & { readonly region: string }): string {
  const aws = `https://s3.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`;
  if (entry.endpoint === undefined) return aws;
  const origin = parseOrigin(entry.endpoint);
  if (origin.kind === "refused") {
    findings.problem(at, `its endpoint ${origin.reason}`);
    return aws;
  }
  if (origin.isPlainHttp && !isLoopback(origin.hostname) && entry.insecure !== true) {
    findings.problem(at, "would be reached by plain HTTP; use https, or say insecure: true");
  }
  return origin.text;
}

function checkStyle(
  { findings }: Draft,
  { endpoint, pathStyle, at }: Placed & { readonly endpoint: string; readonly pathStyle: boolean },
): void {
  const { hostname } = new URL(endpoint);
  const isAddress = parseAddress(hostname.replace(/^\[|\]$/g, "")) !== undefined;
  if (!pathStyle && isAddress)
    findings.problem(at, "pathStyle must be true: an address has no bucket as its first label");
}

function credentialsOf(draft: Draft, { credentials = "aws" }: S3Entry): S3CredentialsSetting {
  if (credentials === "aws" || credentials === "none") return { kind: credentials };
  if ("profile" in credentials) {
    const { profile, file } = credentials;
    return { kind: "profile", profile, file: file === undefined ? undefined : fromFile(draft, file) };
  }
  const { accessKeyId, secretAccessKeyFile } = credentials;
  return { kind: "key", accessKeyId, secretAccessKeyFile: fromFile(draft, secretAccessKeyFile) };
}

function authorityOf(draft: Draft, { ca }: S3Entry): string | undefined {
  const content = ca === undefined ? undefined : draft.contents.get(fromFile(draft, ca));
  return content?.kind === "text" ? content.text : undefined;
}
