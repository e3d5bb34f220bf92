import type { S3Credential } from "../../config/s3-credential.ts";
import type { S3Settings } from "../../config/settings.ts";
import { createManualClock, type ManualClock } from "../../registry/testing/manual-clock.ts";
import type { Clock } from "../../registry/clock.ts";
import type { CallLimits } from "../../registry/remote.ts";
import type { S3Bucket } from "../bucket.ts";
import { createS3Bucket } from "../client.ts";

/** The keys that AWS's own examples are signed with. */
export const exampleCredential: S3Credential = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  sessionToken: undefined,
};

/** A bucket named `bucket`, with the prefix `blobs`, at an endpoint. */
export function settingsAt(endpoint: string, changes: Partial<S3Settings> = {}): S3Settings {
  return {
    bucket: "bucket",
    prefix: "blobs",
    endpoint,
    region: "eu-test-1",
    pathStyle: true,
    credentials: { kind: "none" },
    ca: undefined,
    insecure: false,
    proxy: undefined,
    mayBePrivate: true,
    ...changes,
  };
}

/** What a test's bucket is different in. */
export interface TestBucketOptions {
  readonly settings?: Partial<S3Settings>;
  readonly credentials?: () => Promise<S3Credential | undefined>;
  readonly clock?: Clock;
}

/** A client whose time stands still until the test moves it, and whose pauses before a retry are none. */
export interface TestBucket {
  readonly bucket: S3Bucket;
  readonly clock: ManualClock;
  readonly limits: CallLimits;
}

/** The client of a bucket at a URL of loopback. */
export function bucketAt(url: string, options: TestBucketOptions = {}): TestBucket {
  const clock = createManualClock();
  const bucket = createS3Bucket({
    settings: settingsAt(url, options.settings),
    credentials: options.credentials ?? (() => Promise.resolve(exampleCredential)),
    clock: options.clock ?? clock,
    random: () => 0,
    userAgent: "periplus/test",
  });
  return { bucket, clock, limits: { signal: new AbortController().signal, timeoutMs: 60_000 } };
}
