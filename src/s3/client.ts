import type { S3CredentialSource } from "../config/s3-credential.ts";
import type { S3Settings } from "../config/settings.ts";
import { asFailure } from "../errors/failure.ts";
import { Breakers } from "../registry/breakers.ts";
import { UpstreamBudget } from "../registry/budget.ts";
import { systemEgress } from "../registry/client.ts";
import { type Clock, systemClock } from "../registry/clock.ts";
import type { Answer } from "../registry/remote.ts";
import { createTransport, type Egress, type Fetch } from "../registry/transport.ts";
import { unavailable } from "../registry/unavailable.ts";
import { addressOf } from "./address.ts";
import type { S3Bucket } from "./bucket.ts";
import { createCall } from "./call.ts";
import { deleteObjects } from "./delete.ts";
import { listObjects } from "./list.ts";
import { getObject, headObject } from "./objects.ts";
import { keyIn, type Operations } from "./operations.ts";
import { putObject } from "./put.ts";
import { expiresMaxS, presigned } from "./sign.ts";

/** One bucket, what proves us to its store, and the world as it is unless a test has another. */
export interface S3BucketOptions {
  readonly settings: S3Settings;
  readonly credentials: S3CredentialSource;
  readonly fetch?: Fetch;
  readonly egress?: Egress;
  readonly clock?: Clock;
  /** A number in [0, 1). */
  readonly random?: () => number;
  /** `User-Agent` of every request. */
  readonly userAgent?: string;
}

/** Requests under way at once; streams take three quarters of them at most. */
const concurrent = 64;

/** The client of one bucket. Keep one for each: what it learns of the store, it learns once. */
export function createS3Bucket(options: S3BucketOptions): S3Bucket {
  const operations = operationsOf(options);
  return {
    name: operations.address.name,
    head: (key, limits) => headObject(operations, key, limits),
    get: (key, range, limits) => getObject(operations, key, range, limits),
    put: (object, limits) => putObject(operations, object, limits),
    delete: (keys, limits) => deleteObjects(operations, keys, limits),
    list: (question, limits) => listObjects(operations, question, limits),
    presignGet: (key, expiresS) => presignGet(options, operations, key, expiresS),
  };
}

function operationsOf(options: S3BucketOptions): Operations {
  const { settings, credentials, clock = systemClock, random = Math.random } = options;
  const address = addressOf(settings);
  const exchange = createTransport({
    fetch: options.fetch ?? fetch,
    egress: options.egress ?? systemEgress,
    proxy: settings.proxy,
    userAgent: options.userAgent ?? "periplus",
  });
  const breakers = new Breakers(address.target(undefined, {}).url.origin, { clock, random });
  const budget = new UpstreamBudget(clock, { requests: undefined, perMs: 1000, concurrent });
  const call = createCall({
    address,
    region: settings.region,
    credentials,
    reading: breakers.guard(exchange),
    writing: exchange,
    budget,
    clock,
    random,
  });
  return { address, call, clock, sendsFiles: settings.endpoint.startsWith("http:") && settings.proxy === undefined };
}

async function presignGet(
  { settings, credentials }: S3BucketOptions,
  operations: Operations,
  key: string,
  expiresS: number,
): Promise<Answer<{ readonly url: string }>> {
  const named = keyIn(operations, key);
  if (named.kind === "unavailable") return named;
  const { url } = operations.address.target(named.fullKey, {});
  if (!Number.isInteger(expiresS) || expiresS < 1 || expiresS > expiresMaxS) {
    return unavailable("refused", `a signed URL of ${named.name} holds from 1 to ${expiresMaxS} s`);
  }
  try {
    const credential = await credentials();
    if (credential === undefined) return { kind: "found", url: url.href };
    const signing = { credential, region: settings.region, epochMs: operations.clock.epochMs() };
    return { kind: "found", url: presigned(url, signing, expiresS) };
  } catch (error) {
    return unavailable("denied", asFailure(error, "CONFIG_INVALID", `signing a URL of ${named.name}`).message);
  }
}
