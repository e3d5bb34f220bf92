import { isCertificate } from "../config/certificate.ts";
import type { CredentialSource } from "../config/credential.ts";
import { runCredentialHelper } from "../config/credential-helper.ts";
import { credentialSource, type CredentialWorld } from "../config/credentials.ts";
import type { Draft } from "../config/draft.ts";
import type { FileContent } from "../config/files.ts";
import type { Findings, Path } from "../config/problem.ts";
import type { Upstream } from "../config/settings.ts";
import { upstreamsOf } from "../config/upstreams.ts";
import type { RegistryHost } from "../reference/host.ts";
import type { RegistryAccess } from "./plan-input.ts";
import { type Read, type Reading, type RegistryDraft, resolveFrom } from "./reading.ts";

/** Where the credential of a registry comes from. */
export function registryCredentials(access: RegistryAccess, world: CredentialWorld): CredentialSource {
  const { login, upstream } = access;
  switch (login?.kind) {
    case undefined:
      return credentialSource(upstream, world);
    case "none":
      return () => Promise.resolve(undefined);
    case "password": {
      const { username, password } = login;
      return () => Promise.resolve({ kind: "basic", username, password: password() });
    }
    case "helper":
      return () =>
        runCredentialHelper({
          helper: login.helper,
          host: upstream.host,
          env: world.env,
          timeoutMs: world.helperTimeoutMs,
        });
  }
}

/** How each of these hosts is reached: by the file's lines on it, or as any other client would. What is wrong with the lines is said. */
export function accessOf(
  reading: Reading,
  read: Read,
  hosts: ReadonlySet<RegistryHost>,
): ReadonlyMap<RegistryHost, RegistryAccess> {
  const drafts = new Map<RegistryHost, RegistryDraft>();
  for (const draft of read.registries) {
    if (drafts.has(draft.host))
      reading.findings.problem(draft.at, `${draft.host} is there already; make one of the two`);
    else drafts.set(draft.host, draft);
  }
  for (const host of hosts) if (!drafts.has(host)) drafts.set(host, { host, entry: {}, at: [] });
  const found = new Map<RegistryHost, RegistryAccess>();
  for (const [host, upstream] of upstreamsOf(draftOf(reading, drafts))) {
    const draft = drafts.get(host);
    checkAuthority(reading, draft);
    found.set(host, {
      upstream: { ...upstream, ...authorityOf(draft), ...dockersLogin(read, draft) },
      login: draft?.login,
      triesPlainHttp: draft?.triesPlainHttp ?? false,
    });
  }
  return found;
}

function authorityOf(draft: RegistryDraft | undefined): Partial<Upstream> {
  return draft?.ca === undefined ? {} : { ca: draft.ca };
}

/** Who says nothing of a login means the one that docker has. */
function dockersLogin(read: Read, draft: RegistryDraft | undefined): Partial<Upstream> {
  const hasOwn = draft?.login !== undefined || draft?.entry.credentials !== undefined;
  return read.dockerConfig && !hasOwn ? { credentials: { kind: "docker-config" } } : {};
}

/** The registries as a configuration that has nothing else. */
function draftOf(reading: Reading, drafts: ReadonlyMap<RegistryHost, RegistryDraft>): Draft {
  const entries = [...drafts.values()].map(({ host, entry }) => [host, entry] as const);
  return {
    config: { upstreams: Object.fromEntries(entries), rules: [] },
    rules: [],
    broken: new Set(),
    source: { file: reading.file, path: reading.path, lineOf: (path) => reading.placeOf(path).line },
    cwd: "/",
    env: reading.env,
    overrides: {},
    contents: reading.contents,
    findings: renamed(reading.findings, drafts),
  };
}

/** What is said of `upstreams.HOST` of the configuration, said of the lines that this file has on it. */
function renamed(findings: Findings, drafts: ReadonlyMap<RegistryHost, RegistryDraft>): Findings {
  const placed = ([, host, ...rest]: Path): Path => {
    const at = [...drafts.values()].find((draft) => draft.host === host)?.at ?? [];
    return at[0] === "registries" ? [...at, ...rest] : at;
  };
  return {
    ...findings,
    problem: (path, message, part) => findings.problem(placed(path), message, part),
    warning: (path, message) => findings.warning(placed(path), message),
  };
}

function checkAuthority(reading: Reading, draft: RegistryDraft | undefined): void {
  if (draft === undefined) return;
  const { entry, ca, at } = draft;
  if (ca !== undefined && !isCertificate(ca))
    reading.findings.problem(at, "has an authority that is no PEM certificate");
  if (entry.ca === undefined) return;
  const content = reading.contents.get(resolveFrom(reading, entry.ca));
  if (content === undefined) return;
  const fault = faultOf(content);
  if (fault !== undefined) reading.findings.problem([...at, "ca"], `${entry.ca} ${fault}`);
}

function faultOf(content: FileContent): string | undefined {
  if (content.kind === "unreadable") return content.reason;
  return isCertificate(content.text) ? undefined : "is no PEM certificate";
}
