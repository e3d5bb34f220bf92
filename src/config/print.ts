import { stringify } from "yaml";
import type { Match, Rule } from "../rules/rule.ts";
import { formatDuration } from "./duration.ts";
import type { BudgetEntry, ConfigFile, RedirectEntry, RuleEntry, S3Entry, UpstreamEntry } from "./file.ts";
import type {
  Budget,
  CredentialsSetting,
  RedirectSettings,
  S3CredentialsSetting,
  S3Settings,
  Settings,
  StorageSettings,
  Upstream,
} from "./settings.ts";
import { formatSize } from "./size.ts";

/**
 * Settings in force as a configuration file: every default written out, every path absolute, and nothing secret in it. Passwords are only
 * ever named by their files; a proxy's user and password are masked.
 */
export function printSettings(settings: Settings): string {
  const yaml = stringify(fileOf(settings), { lineWidth: 0, aliasDuplicateObjects: false });
  const read = settings.files.map((file) => `# read: ${file}\n`).join("");
  return `${read}${yaml}`;
}

function fileOf(settings: Settings): ConfigFile {
  const { listen, tls, auth, upstreams, table, redirect } = settings;
  return {
    listen: listen.hostname.includes(":") ? `[${listen.hostname}]:${listen.port}` : `${listen.hostname}:${listen.port}`,
    tls: unlessEmpty(tls.map(({ cert, key, clientCa }) => ({ cert, key, clientCA: clientCa }))),
    storage: settings.storage && storageEntry(settings.storage),
    clients: settings.clients,
    trustedProxies: unlessEmpty(settings.trustedProxies),
    auth,
    upstreams: Object.fromEntries([...upstreams].map(([host, upstream]) => [host, upstreamEntry(upstream)])),
    // All of them are written out above.
    wellKnown: false,
    rules: table.rules.map(ruleEntry),
    redirect: redirectEntry(redirect),
    log: settings.log,
    adminSocket: settings.adminSocket,
    workers: settings.workers,
  };
}

function storageEntry({ folder, blobs, scratch }: StorageSettings): ConfigFile["storage"] {
  if (blobs.kind === "s3") {
    return { blobs: bucketEntry(blobs.bucket), index: folder, scratch, redirectBlobs: blobs.isLinked };
  }
  return blobs.folder === folder && scratch === folder ? folder : { blobs: blobs.folder, index: folder, scratch };
}

function bucketEntry(bucket: S3Settings): S3Entry {
  const { prefix, endpoint, region, pathStyle, credentials, caFile, insecure, proxy } = bucket;
  return {
    bucket: bucket.bucket,
    prefix: prefix === "" ? undefined : prefix,
    endpoint,
    region,
    pathStyle,
    credentials: bucketCredentials(credentials),
    ca: caFile,
    insecure: insecure || undefined,
    proxy: proxy === undefined ? undefined : maskUser(proxy),
  };
}

function bucketCredentials(credentials: S3CredentialsSetting): S3Entry["credentials"] {
  switch (credentials.kind) {
    case "none":
    case "aws":
      return credentials.kind;
    case "profile":
      return { profile: credentials.profile, file: credentials.file };
    case "key":
      return { accessKeyId: credentials.accessKeyId, secretAccessKeyFile: credentials.secretAccessKeyFile };
  }
}

function upstreamEntry(upstream: Upstream): UpstreamEntry {
  const { url, path, cloud, region, credentials, isPublic, caFile, insecure, proxy, budget } = upstream;
  return {
    url,
    path: path === "" ? undefined : path,
    cloud,
    region,
    credentials: credentialsEntry(credentials),
    public: isPublic || undefined,
    ca: caFile,
    insecure: insecure || undefined,
    proxy: proxy === undefined ? undefined : maskUser(proxy),
    budget: budgetEntry(budget),
    redirectHosts: unlessEmpty(upstream.redirectHosts),
    tokenHosts: unlessEmpty(upstream.tokenHosts),
  };
}

function credentialsEntry(credentials: CredentialsSetting): UpstreamEntry["credentials"] {
  switch (credentials.kind) {
    case "none":
      return undefined;
    case "docker-config":
      return "docker-config";
    case "password-file":
      return { username: credentials.username, passwordFile: credentials.passwordFile };
  }
}

function budgetEntry({ requests, perMs, concurrent }: Budget): BudgetEntry {
  return requests === undefined ? { concurrent } : { requests, per: formatDuration(perMs), concurrent };
}

function ruleEntry(rule: Rule): RuleEntry {
  const { id, match, upstream, serve, maxSizeBytes } = rule;
  const kept = {
    freshFor: formatDuration(rule.freshForMs),
    serveStaleFor: formatDuration(rule.serveStaleForMs),
    maxSize: maxSizeBytes === undefined ? undefined : formatSize(maxSizeBytes),
  };
  return {
    // An id of the form rules[N] is given by the place alone.
    id: id.includes("[") ? undefined : id,
    match: matchEntry(match),
    upstream,
    serve,
    ...(serve === "cache" ? kept : {}),
    ...storeEntry(rule),
  };
}

function storeEntry({ store }: Rule): Pick<RuleEntry, "access" | "immutableTags"> {
  if (store === undefined) return {};
  const access = store.grants?.map(({ users, repositories, actions }) => ({ users, repositories, may: actions }));
  return { access, immutableTags: unlessEmpty(store.immutableTags) };
}

function matchEntry(match: Match): RuleEntry["match"] {
  switch (match.kind) {
    case "rest":
      return "*";
    case "name":
      return match.name;
    case "parts":
      return { host: match.host, ns: match.ns, prefix: match.prefix };
  }
}

function redirectEntry({ buckets, ...others }: RedirectSettings): RedirectEntry | undefined {
  const entry: RedirectEntry = {
    buckets: unlessEmpty(
      buckets.map(({ name, url, cloud, regions, isDefault, fill }) => {
        const place = fill && (fill.kind === "files" ? fill.folder : bucketEntry(fill.bucket));
        return { name, url, cloud, region: unlessEmpty(regions), default: isDefault || undefined, fill: place };
      }),
    ),
    ...others,
  };
  return Object.values(entry).some((value) => value !== undefined) ? entry : undefined;
}

function unlessEmpty<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list;
}

function maskUser(text: string): string {
  const url = new URL(text);
  return url.username === "" && url.password === "" ? text : `${url.protocol}//***@${url.host}`;
}
