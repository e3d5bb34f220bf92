import { z } from "zod";
import { parseCidr } from "../net/cidr.ts";
import { parseHost } from "../reference/host.ts";
import { isNameFrom } from "../reference/repository.ts";
import { parseDuration } from "./duration.ts";
import { type PlaceText, parseBase, parseLink, parseListen, parseOrigin, parseProxy, parseUrlHost } from "./place.ts";
import { parseSize } from "./size.ts";

const MAX_TEXT_LENGTH = 4096;

/** A text that `accepts` takes; `wanted` completes "must be" for people, and `extra` goes into the JSON Schema. */
function text(
  wanted: string,
  accepts: (value: string) => boolean,
  extra?: Readonly<Record<string, unknown>>,
): z.ZodString {
  const error = `must be ${wanted}`;
  return z
    .string({ error: (issue) => (issue.input === undefined ? "is missing" : error) })
    .refine((value) => value.length <= MAX_TEXT_LENGTH && accepts(value), { error })
    .meta({ ...extra });
}

function url(parse: (value: string) => PlaceText): z.ZodString {
  return z
    .string({ error: (issue) => (issue.input === undefined ? "is missing" : "must be a URL") })
    .superRefine((value, context) => {
      const place = parse(value);
      if (place.kind === "refused") context.addIssue({ code: "custom", message: place.reason });
    })
    .meta({ format: "uri" });
}

/** `500ms`, `30s`, `5m`, `24h`, `7d`. */
export const duration: z.ZodType<string> = text(
  "a duration such as 500ms, 30s, 5m, 24h or 7d",
  (value) => parseDuration(value) !== undefined,
  { pattern: "^[0-9]{1,16}(ms|s|m|h|d)$" },
);

/** `200GB`, `10GiB`, `512MiB`. */
export const size: z.ZodType<string> = text(
  "a size such as 200GB, 10GiB or 512MiB",
  (value) => parseSize(value) !== undefined,
  { pattern: "^[0-9]{1,16}(B|[kMGTP]B|[KMGTP]iB)$" },
);

/** A registry's name: what upstreams are keyed by and rules name. */
export const registryHost: z.ZodType<string> = text(
  "a registry's host such as registry.k8s.io or localhost:5000",
  (value) => parseHost(value) !== undefined,
);

/** A host with an optional port. */
export const urlHost: z.ZodType<string> = text(
  "a host such as minio.internal or minio.internal:9000",
  (value) => parseUrlHost(value) !== undefined,
);

/** Repository segments without a slash at the ends. */
export const repositoryPath: z.ZodType<string> = text(
  "the segments before a repository such as team/images: lower case, without a slash at the ends",
  (value) => isNameFrom(value, 0),
);

/** Leading segments of a request's name; the first may be a host with a port. */
export const namePrefix: z.ZodType<string> = text(
  "whole leading segments of a name such as team or localhost:5000/team: lower case, without a slash at the ends",
  (value) => isNameFrom(value.replace(/^([^:/]*):[0-9]{1,5}(?=\/|$)/, "$1"), 0),
);

/** A pattern of repository names. */
export const repositoryGlob: z.ZodType<string> = text(
  "a repository or a pattern of them such as team/* or team/**",
  (value) => /^[a-z0-9*][a-z0-9*._/-]{0,254}$/.test(value) && !value.includes("//"),
);

/** A pattern of tags. */
export const tagGlob: z.ZodType<string> = text("a tag or a pattern of them such as v*", (value) =>
  /^[A-Za-z0-9_*][A-Za-z0-9_.*-]{0,127}$/.test(value),
);

/** An address or a block of addresses. */
export const cidr: z.ZodType<string> = text(
  "an address or a CIDR such as 10.0.0.0/8, with no bits set behind the prefix",
  (value) => parseCidr(value) !== undefined,
);

/** Where to listen. */
export const listenAddress: z.ZodType<string> = text(
  "HOST:PORT such as 127.0.0.1:5000, 0.0.0.0:8080 or [::]:8080",
  (value) => parseListen(value) !== undefined,
);

/** A path in the file system. */
export const filePath: z.ZodType<string> = text("a path", (value) => value !== "" && !value.includes("\0"));

/** A name in messages and metrics. */
export const label: z.ZodType<string> = text(
  "1 to 64 letters, digits, dots, dashes and underscores",
  (value) => /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(value),
  { pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$" },
);

/** A region as its cloud spells it. */
export const region: z.ZodType<string> = text(
  "a region as its cloud spells it, such as us-east-1",
  (value) => /^[A-Za-z0-9-]{1,64}$/.test(value),
  { pattern: "^[A-Za-z0-9-]{1,64}$" },
);

/** A user's name for Basic authentication, which cannot hold a colon (RFC 7617, 2). */
export const username: z.ZodType<string> = text(
  "a user's name without a colon",
  (value) => value !== "" && !value.includes(":"),
);

/** Scheme and authority. */
export const originUrl: z.ZodType<string> = url(parseOrigin);

/** A URL that digests are put behind. */
export const baseUrl: z.ZodType<string> = url(parseBase);

/** A proxy. */
export const proxyUrl: z.ZodType<string> = url(parseProxy);

/** Where people are sent. */
export const linkUrl: z.ZodType<string> = url(parseLink);

/** A whole number from 1 to `max`. */
export function count(max: number): z.ZodType<number> {
  const error = `must be a whole number from 1 to ${max}`;
  return z.int({ error }).min(1, { error }).max(max, { error });
}

/** True or false. */
export const flag: z.ZodType<boolean> = z.boolean({ error: "must be true or false" });
