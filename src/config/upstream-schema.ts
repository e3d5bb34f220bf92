import { z } from "zod";
import type { BudgetEntry, PasswordEntry, UpstreamEntry } from "./file.ts";
import * as scalar from "./scalars.ts";

/** A schema for every key of an entry: neither one too few nor one too many compiles. */
export type Shape<T> = { readonly [K in keyof Required<T>]: z.ZodType<T[K]> };

/** The clouds that buckets and registries may be in. */
export const cloud: z.ZodType<"aws" | "azure" | "gcp"> = z.enum(["aws", "azure", "gcp"]);

const password = z.strictObject({
  username: about(scalar.username, "The user to log in as."),
  passwordFile: about(scalar.filePath, "File that holds the password, read again at least once a minute."),
} satisfies Shape<PasswordEntry>);

const budget = z.strictObject({
  requests: about(scalar.count(1e9), "How many requests may be sent in any `per`.").optional(),
  per: about(scalar.duration, "The time that `requests` are counted over.").optional(),
  concurrent: about(scalar.count(10_000), "How many requests may be under way at once.").optional(),
} satisfies Shape<BudgetEntry>);

/** The keys of an upstream: of the configuration file, and of other files that name registries. */
export const upstreamShape: Shape<UpstreamEntry> = {
  url: about(scalar.originUrl, "Where the registry is reached; https://HOST without it.").optional(),
  path: about(scalar.repositoryPath, "Put before every repository there.").optional(),
  cloud: about(cloud, "The cloud it is in; its clients are not sent to buckets elsewhere.").optional(),
  region: about(scalar.region, "The region it is in.").optional(),
  credentials: about(
    z.union([z.literal("docker-config"), password], { error: "must be docker-config or { username, passwordFile }" }),
    "How to log in there: docker's config.json with its helpers, or a user and a file with the password.",
  ).optional(),
  public: about(scalar.flag, "True: what was pulled with credentials may be served to everybody.").optional(),
  ca: about(scalar.filePath, "PEM file of the authority to trust instead of the system's.").optional(),
  insecure: about(scalar.flag, "True: plain HTTP is allowed and certificates are not checked.").optional(),
  proxy: about(scalar.proxyUrl, "The HTTP proxy to reach it through.").optional(),
  budget: about(budget, "What may be asked of it.").optional(),
  redirectHosts: about(z.array(scalar.urlHost), "Private hosts that its blob redirects may point to.").optional(),
  tokenHosts: about(z.array(scalar.urlHost), "Hosts beside its own that may give tokens for it.").optional(),
};

/** A schema with words on what it is for, which go into the JSON Schema. */
export function about<T extends z.ZodType>(schema: T, description: string): T {
  return schema.meta({ ...schema.meta(), description });
}
