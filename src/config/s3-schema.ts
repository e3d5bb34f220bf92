import { z } from "zod";
import type { S3Entry, S3KeyEntry, S3ProfileEntry } from "./file.ts";
import * as scalar from "./scalars.ts";
import { isBucketName, isKeyPrefix, parseS3Url } from "./s3-url.ts";

/** A schema for every key of an entry: neither one too few nor one too many compiles. */
type Shape<T> = { readonly [K in keyof Required<T>]: z.ZodType<T[K]> };

const key = z.strictObject({
  accessKeyId: about(scalar.label, "The access key's id."),
  secretAccessKeyFile: about(scalar.filePath, "File that holds the secret access key."),
} satisfies Shape<S3KeyEntry>);

const profile = z.strictObject({
  profile: about(scalar.label, "A profile of the shared credentials file."),
  file: about(scalar.filePath, "The shared credentials file; AWS's own without it.").optional(),
} satisfies Shape<S3ProfileEntry>);

const credentialsError = "must be aws, none, { accessKeyId, secretAccessKeyFile } or { profile, file }";

const entry = z.strictObject({
  bucket: about(
    z
      .string({ error: (issue) => (issue.input === undefined ? "is missing" : "must be a bucket's name") })
      .refine(isBucketName, { error: "must be 3 to 63 lower-case letters, digits, dots and dashes" }),
    "The bucket's name.",
  ),
  prefix: about(
    z
      .string({ error: "must be a text" })
      .refine(isKeyPrefix, { error: "must be segments without a slash at the ends" }),
    "Put before every key.",
  ).optional(),
  endpoint: about(scalar.originUrl, "Where the store is reached; AWS's own for the region without it.").optional(),
  region: about(scalar.region, "The region of the bucket; AWS_REGION without it.").optional(),
  pathStyle: about(scalar.flag, "True: the bucket stands in the path. So it is with an endpoint.").optional(),
  credentials: about(
    z.union([z.literal("aws"), z.literal("none"), key, profile], { error: credentialsError }),
    "What to sign requests with: what AWS's own programs find, a key, a profile, or nothing.",
  ).optional(),
  ca: about(scalar.filePath, "PEM file of the authority to trust instead of the system's.").optional(),
  insecure: about(scalar.flag, "True: plain HTTP is allowed and certificates are not checked.").optional(),
  proxy: about(scalar.proxyUrl, "The HTTP proxy to reach it through.").optional(),
} satisfies Shape<S3Entry>);

const written = z.string().superRefine((value, context) => {
  const parsed = parseS3Url(value);
  if (parsed.kind === "refused") context.addIssue({ code: "custom", message: parsed.reason });
});

/** A bucket: `s3://BUCKET/PREFIX?region=REGION`, or the same written out. */
export const s3Bucket: z.ZodType<string | S3Entry> = z.union([written, entry], {
  error: "must be s3://BUCKET/PREFIX or { bucket, prefix, endpoint, region, credentials }",
});

function about<T extends z.ZodType>(schema: T, description: string): T {
  return schema.meta({ ...schema.meta(), description });
}
