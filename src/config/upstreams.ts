import { parseHost, type RegistryHost } from "../reference/host.ts";
import { cloudOfHost } from "./cloud-hosts.ts";
import { defaultBudgetPerMs, defaultConcurrent } from "./defaults.ts";
import { type Draft, fromFile } from "./draft.ts";
import { parseDuration } from "./duration.ts";
import { proxyFromEnvironment } from "./environment.ts";
import type { BudgetEntry, UpstreamEntry } from "./file.ts";
import { isLoopback, parseOrigin, parseUrlHost } from "./place.ts";
import type { Path } from "./problem.ts";
import type { Budget, CredentialsSetting, Upstream } from "./settings.ts";
import { wellKnownRegistries } from "./well-known.ts";

/** An upstream's own lines, and where they are. */
interface Named {
  readonly host: RegistryHost;
  readonly entry: UpstreamEntry;
  readonly at: Path;
  /** The URL of `--upstream`, which stands above the file's. */
  readonly flagUrl: string | undefined;
}

/** Every registry that may be named: the file's, the command line's, and the well-known ones where they are on. */
export function upstreamsOf(draft: Draft): ReadonlyMap<RegistryHost, Upstream> {
  const upstreams = new Map<RegistryHost, Upstream>();
  const flagUrls = flagUrlsOf(draft);
  const add = (host: RegistryHost, entry: UpstreamEntry, at: Path): void => {
    upstreams.set(host, upstreamOf(draft, { host, entry, at, flagUrl: flagUrls.get(host) }));
  };
  for (const [key, entry] of Object.entries(draft.config.upstreams ?? {})) {
    const host = parseHost(key);
    if (host === undefined) continue;
    const at = ["upstreams", key];
    if (upstreams.has(host)) draft.findings.problem(at, `is ${host}, which is there already; make one of the two`);
    else add(host, entry, at);
  }
  const wellKnown = draft.config.wellKnown === true ? wellKnownRegistries.keys() : [];
  for (const host of [...wellKnown, ...flagUrls.keys()]) if (!upstreams.has(host)) add(host, {}, ["upstreams", host]);
  return upstreams;
}

function flagUrlsOf({ overrides, findings }: Draft): ReadonlyMap<RegistryHost, string> {
  const urls = new Map<RegistryHost, string>();
  for (const text of overrides.upstreams ?? []) {
    const equals = text.indexOf("=");
    const host = parseHost(text.slice(0, Math.max(equals, 0)));
    const origin = parseOrigin(text.slice(equals + 1));
    if (host === undefined)
      findings.problem(["--upstream"], "must be HOST=URL such as docker.io=https://mirror.example");
    else if (origin.kind === "refused") findings.problem(["--upstream"], `the URL of ${host} ${origin.reason}`);
    else urls.set(host, origin.text);
  }
  return urls;
}

function upstreamOf(draft: Draft, named: Named): Upstream {
  const { host, entry, flagUrl } = named;
  const known = wellKnownRegistries.get(host);
  const url = flagUrl ?? originText(entry.url) ?? known?.url ?? `https://${host}`;
  checkUrl(draft, named, url);
  const credentials = credentialsOf(draft, named);
  return {
    host,
    url,
    path: entry.path ?? "",
    ...placeOf(draft, named, url),
    credentials,
    isPublic: entry.public ?? false,
    ca: authorityOf(draft, entry),
    ...(entry.ca === undefined ? {} : { caFile: fromFile(draft, entry.ca) }),
    insecure: entry.insecure ?? false,
    proxy: entry.proxy ?? proxyFromEnvironment(draft.env, new URL(url)),
    budget: budgetOf(draft, named, entry.budget ?? {}),
    redirectHosts: hostsOf(entry.redirectHosts),
    tokenHosts: [...new Set([...(known?.url === url ? known.tokenHosts : []), ...hostsOf(entry.tokenHosts)])],
    mayBePrivate: flagUrl !== undefined || entry.url !== undefined || known === undefined,
  };
}

function originText(url: string | undefined): string | undefined {
  const origin = url === undefined ? undefined : parseOrigin(url);
  return origin?.kind === "url" ? origin.text : undefined;
}

function checkUrl({ findings }: Draft, { host, entry, at, flagUrl }: Named, url: string): void {
  const origin = parseOrigin(url);
  if (origin.kind === "refused" || !origin.isPlainHttp || isLoopback(origin.hostname)) return;
  const place = flagUrl === undefined ? [...at, "url"] : ["--upstream"];
  if (entry.insecure !== true) {
    findings.problem(
      place,
      `${host} would be reached by plain HTTP; use https, or say insecure: true in its upstreams entry`,
    );
  } else if (entry.credentials !== undefined) {
    findings.warning(place, `the credentials of ${host} go over the network in the clear`);
  }
}

function placeOf({ findings }: Draft, { entry, at }: Named, url: string): Pick<Upstream, "cloud" | "region"> {
  const told = cloudOfHost(new URL(url).hostname);
  const cloud = entry.cloud ?? told?.cloud;
  if (entry.region !== undefined && cloud === undefined) {
    findings.problem([...at, "region"], "means nothing without cloud; add cloud: aws, azure or gcp");
  }
  return { cloud, region: entry.region ?? (told?.cloud === cloud ? told?.region : undefined) };
}

function credentialsOf(draft: Draft, { entry, at }: Named): CredentialsSetting {
  const { credentials } = entry;
  if (credentials === undefined) {
    if (entry.public === false) {
      draft.findings.problem([...at, "public"], "false means nothing without credentials: anybody can pull this too");
    }
    return { kind: "none" };
  }
  if (credentials === "docker-config") return { kind: "docker-config" };
  const { username, passwordFile } = credentials;
  return { kind: "password-file", username, passwordFile: fromFile(draft, passwordFile) };
}

function authorityOf(draft: Draft, { ca }: UpstreamEntry): string | undefined {
  const content = ca === undefined ? undefined : draft.contents.get(fromFile(draft, ca));
  return content?.kind === "text" ? content.text : undefined;
}

function budgetOf({ findings }: Draft, { at }: Named, { requests, per, concurrent }: BudgetEntry): Budget {
  if ((requests === undefined) !== (per === undefined)) {
    findings.problem([...at, "budget"], "requests and per go together, as in { requests: 100, per: 6h }");
  }
  const perMs = per === undefined ? defaultBudgetPerMs : (parseDuration(per) ?? 0);
  if (perMs === 0) findings.problem([...at, "budget", "per"], "must be longer than 0s");
  return { requests, perMs, concurrent: concurrent ?? defaultConcurrent };
}

function hostsOf(texts: readonly string[] | undefined): readonly string[] {
  return (texts ?? []).map((text) => parseUrlHost(text)).filter((host) => host !== undefined);
}
