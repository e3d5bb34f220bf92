import { z } from "zod";
import type {
  AuthEntry,
  BucketEntry,
  ConfigFile,
  GrantEntry,
  MatchEntry,
  RedirectEntry,
  RuleEntry,
  StorageEntry,
  TlsEntry,
} from "./file.ts";
import { s3Bucket } from "./s3-schema.ts";
import * as scalar from "./scalars.ts";
import { about, cloud, type Shape, upstreamShape } from "./upstream-schema.ts";

const tls = z.strictObject({
  cert: about(scalar.filePath, "PEM file of the certificate and its chain. Its names say which clients get it (SNI)."),
  key: about(scalar.filePath, "PEM file of the certificate's private key."),
  clientCA: about(scalar.filePath, "PEM file of the authority that clients' certificates must come from.").optional(),
} satisfies Shape<TlsEntry>);

const auth = z.strictObject({
  htpasswd: about(scalar.filePath, "File of users and bcrypt hashes, as `htpasswd -B` writes it."),
} satisfies Shape<AuthEntry>);

const upstream = z.strictObject(upstreamShape);

const match = z.strictObject({
  host: about(scalar.registryHost, "The request's `Host`.").optional(),
  ns: about(scalar.registryHost, "The request's `?ns=`.").optional(),
  prefix: about(
    scalar.namePrefix,
    "Leading segments of the name; taken off before it becomes the repository.",
  ).optional(),
} satisfies Shape<MatchEntry>);

const matchName = z.union([z.literal("*"), scalar.registryHost], {
  error: 'must be "*", a name such as registry.k8s.io, or { host, ns, prefix }',
});

const actions = z.enum(["pull", "push", "delete"], { error: "must be pull, push or delete" });

const grant = z.strictObject({
  users: about(z.array(scalar.username).min(1), 'Names of users; "*" is every user, anonymous is everybody.'),
  repositories: about(
    z.array(scalar.repositoryGlob),
    "Which repositories: * stands for a segment or part of one, ** for any many; all without it.",
  ).optional(),
  may: about(z.array(actions).min(1), "What they may do there."),
} satisfies Shape<GrantEntry>);

const rule = z.strictObject({
  id: about(scalar.label, "Its name in logs and metrics; rules[N] without it.").optional(),
  match: about(
    // The mapping first: of many rules nearly all have one, and an alternative that fails is the costly part of a union.
    z.union([match, matchName], { error: 'must be "*", a name such as registry.k8s.io, or { host, ns, prefix }' }),
    'Which names it is for: "*" is what no other rule matches; NAME is `?ns=`, `Host` or first segment of that name.',
  ),
  upstream: about(scalar.registryHost, "The registry that answers; the one that `match` names without it.").optional(),
  serve: about(z.enum(["redirect", "cache", "store"]), "What is done with a pull."),
  freshFor: about(
    scalar.duration,
    "How long a tag is served before the upstream is asked again; 24h without it.",
  ).optional(),
  serveStaleFor: about(
    scalar.duration,
    "How long a tag is served while the upstream does not answer; 7d without it.",
  ).optional(),
  maxSize: about(scalar.size, "What the blobs of this rule may take on disk; no limit without it.").optional(),
  access: about(
    z.array(grant),
    "Who may do what with repositories of our own; without it users may do everything.",
  ).optional(),
  immutableTags: about(
    z.array(scalar.tagGlob),
    "Tags of our own that never change once they are there, as v*.",
  ).optional(),
} satisfies Shape<RuleEntry>);

const bucket = z.strictObject({
  name: about(scalar.label, "Its name in logs and metrics."),
  url: about(scalar.baseUrl, "A blob is at URL/sha256:HEX."),
  cloud: about(cloud, "The cloud whose clients it is for.").optional(),
  region: about(
    z.union([scalar.region, z.array(scalar.region)], { error: "must be a region or a list of regions" }),
    "The region, or regions, whose clients it is the nearest for.",
  ).optional(),
  default: about(scalar.flag, "True for the one bucket of clients that no other is for.").optional(),
  fill: about(
    z.union([scalar.filePath, s3Bucket], { error: "must be a folder, s3://BUCKET/PREFIX or { bucket, … }" }),
    "Where `periplus fill` writes it: the bucket and prefix, or the folder, that its URL shows.",
  ).optional(),
} satisfies Shape<BucketEntry>);

const redirect = z.strictObject({
  buckets: about(z.array(bucket), "Where blobs are held beside the upstream.").optional(),
  info: about(scalar.linkUrl, "Where / goes.").optional(),
  privacy: about(scalar.linkUrl, "Where /privacy goes.").optional(),
  signatures: about(scalar.originUrl, "The registry that signatures and attestations are kept at.").optional(),
  cloudRanges: about(
    scalar.filePath,
    "JSON file of the clouds' address ranges to use instead of the compiled ones.",
  ).optional(),
} satisfies Shape<RedirectEntry>);

const missingRules: z.core.$ZodErrorMap = ({ input }) =>
  input === undefined ? 'is missing; a cache of everything is [{ match: "*", serve: cache }]' : "must be a list";

const storageParts = z.strictObject({
  blobs: about(
    z.union([scalar.filePath, s3Bucket], { error: "must be a folder, s3://BUCKET/PREFIX or { bucket, … }" }),
    "Where blobs are kept: a folder, or a bucket; the folder of the index without it.",
  ).optional(),
  index: about(
    scalar.filePath,
    "Folder of the index, the lock and the admin socket; that of the blobs without it.",
  ).optional(),
  scratch: about(scalar.filePath, "Folder of what is on its way in; that of the blobs without it.").optional(),
  redirectBlobs: about(scalar.flag, "True: clients are sent to the bucket for blobs, by signed links.").optional(),
} satisfies Shape<StorageEntry>);

/** The one schema of the configuration file. It checks one value at a time; what several values say together is checked by `toSettings`. */
export const configSchema: z.ZodType<ConfigFile> = z
  .strictObject({
    listen: about(scalar.listenAddress, "Where to listen; 127.0.0.1:5000 without it.").optional(),
    tls: about(z.array(tls), "Certificates to serve HTTPS with; plain HTTP without them.").optional(),
    storage: about(
      z.union([scalar.filePath, storageParts], { error: "must be a folder or { blobs, index, scratch }" }),
      "Folder of what is cached and stored, or folders of its parts; ./periplus-data without it.",
    ).optional(),
    clients: about(
      z.union([z.literal("any"), z.array(scalar.cidr)], {
        error: "must be any or a list of CIDRs such as [10.0.0.0/8]",
      }),
      "Who may pull by cache rules and read metrics; loopback and private addresses without it.",
    ).optional(),
    trustedProxies: about(
      z.array(scalar.cidr),
      "Whose X-Forwarded-For and Forwarded are believed; nobody's without it.",
    ).optional(),
    auth: about(auth, "Users; everybody may pull without it.").optional(),
    upstreams: about(z.record(scalar.registryHost, upstream), "The registries that may be named, by host.").optional(),
    wellKnown: about(scalar.flag, "True: the well-known public registries may be named too.").optional(),
    rules: about(
      z.array(rule, { error: missingRules }),
      "Which names are served, from where and how. Their order does not matter.",
    ),
    redirect: about(redirect, "What rules with `serve: redirect` need.").optional(),
    log: about(z.enum(["json", "text", "off"]), "How requests are recorded; json without it.").optional(),
    adminSocket: about(scalar.filePath, "Unix socket for the commands that speak to a running server.").optional(),
    workers: about(
      scalar.count(256),
      "Processes that share the port; more than one only where nothing is cached or stored.",
    ).optional(),
  } satisfies Shape<ConfigFile>)
  .meta({ title: "Periplus configuration" });

/** The JSON Schema (draft 2020-12) of the file, for editors and for checks elsewhere. */
export function configJsonSchema(): Readonly<Record<string, unknown>> {
  return { ...z.toJSONSchema(configSchema, { io: "input", target: "draft-2020-12" }) };
}
