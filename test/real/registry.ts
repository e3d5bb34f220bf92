import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createAuthority, issueCertificate, type KeyPair } from "./certificates.ts";
import { type Credentials, type Endpoint, get, urlOf } from "./endpoint.ts";
import { freePort, launch, type Running, type TemporaryFolder, temporaryFolder } from "./process.ts";
import { startTokenServer, type TokenServer } from "./token-server.ts";
import { binary } from "./versions.ts";

/** Who may use a registry: everyone, one user by Basic, or one user (and perhaps anyone who pulls) by tokens. */
type Access =
  | { readonly kind: "anonymous" }
  | { readonly kind: "htpasswd"; readonly user: Credentials }
  | {
      readonly kind: "token";
      readonly user: Credentials;
      readonly anonymousPull?: boolean;
      readonly lifetimeS?: number;
    };

export interface RegistryOptions {
  /** distribution v3, or Debian's docker-registry, which is distribution 2.8; the latter takes no tokens here. */
  readonly program?: "distribution" | "docker-registry";
  readonly access?: Access;
  /** With a certificate for localhost, 127.0.0.1 and *.test from an authority made for this registry. */
  readonly tls?: boolean;
  /** Makes it distribution's own pull-through cache of that registry. */
  readonly proxyOf?: Endpoint;
  /** A fixed port and data folder start a registry again where another one stopped. */
  readonly port?: number;
  readonly dataFolder?: string;
}

/** The user of every guarded registry in the tables. */
export const USER: Credentials = { username: "ann", password: "s3cret" };

/** The kinds of registries beside the open distribution over plain HTTP, for tables. */
export const REGISTRIES: readonly (readonly [string, RegistryOptions])[] = [
  ["distribution with htpasswd", { access: { kind: "htpasswd", user: USER } }],
  ["distribution with tokens", { access: { kind: "token", user: USER } }],
  ["distribution with TLS", { tls: true }],
  ["distribution with TLS and tokens", { tls: true, access: { kind: "token", user: USER } }],
  ["docker-registry", { program: "docker-registry" }],
  [
    "docker-registry with TLS and htpasswd",
    { program: "docker-registry", tls: true, access: { kind: "htpasswd", user: USER } },
  ],
];

/** One line of a registry's access log. */
interface LoggedRequest {
  readonly method: string;
  /** Path and query, as they were asked. */
  readonly target: string;
  readonly status: number;
}

export interface Registry extends AsyncDisposable {
  /**
   * With the user's credentials and the authority's file where they are needed. At 127.0.0.1, but with tokens at
   * localhost, as the token server: clients follow a realm to a loopback address only under the registry's own name.
   */
  readonly endpoint: Endpoint;
  readonly port: number;
  readonly dataFolder: string;
  readonly running: Running;
  /** Present with `access: token`. */
  readonly tokens: TokenServer | undefined;
  /** Every request it has answered so far, in order. */
  requests(): Promise<readonly LoggedRequest[]>;
}

/** Answered without credentials, and asked by no client, so that it can be told apart in the access log. */
const READY_PATH = "/";

/** A request is in the log a moment after its answer is with the client. */
const LOG_MS = 50;

interface AccessConfig {
  readonly config: Record<string, unknown>;
  readonly tokens?: TokenServer;
}

/** Starts distribution's registry, or Debian's, in a temporary folder on a free port, and waits until it answers. */
export async function startRegistry(options: RegistryOptions = {}): Promise<Registry> {
  const folder = await temporaryFolder("registry");
  const port = options.port ?? freePort();
  const dataFolder = options.dataFolder ?? join(folder.path, "data");
  const tls = options.tls === true ? await serverCertificate(folder.path) : undefined;
  const access = await accessConfig(options.access ?? { kind: "anonymous" }, { folder: folder.path, tls });
  const user = options.access === undefined || options.access.kind === "anonymous" ? undefined : options.access.user;
  const endpoint: Endpoint = {
    host: `${access.tokens === undefined ? "127.0.0.1" : "localhost"}:${port}`,
    scheme: tls === undefined ? "http" : "https",
    ...(tls === undefined ? {} : { caFile: tls.caFile }),
    ...(user === undefined ? {} : { credentials: user }),
  };
  const config = {
    version: 0.1,
    log: { level: "info", accesslog: { disabled: false } },
    storage: { filesystem: { rootdirectory: dataFolder }, delete: { enabled: true } },
    http: {
      addr: `127.0.0.1:${port}`,
      secret: "one process",
      ...(tls === undefined ? {} : { tls: { certificate: tls.certFile, key: tls.keyFile } }),
    },
    ...access.config,
    ...(options.proxyOf === undefined ? {} : { proxy: proxyConfig(options.proxyOf) }),
  };
  const running = await launchRegistry({ options, folder, endpoint, config });
  return {
    endpoint,
    port,
    dataFolder,
    running,
    tokens: access.tokens,
    requests: async () => {
      await Bun.sleep(LOG_MS);
      return loggedRequests(running.logFile);
    },
    [Symbol.asyncDispose]: async () => {
      await running[Symbol.asyncDispose]();
      access.tokens?.[Symbol.dispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function launchRegistry(start: {
  readonly options: RegistryOptions;
  readonly folder: TemporaryFolder;
  readonly endpoint: Endpoint;
  readonly config: object;
}): Promise<Running> {
  const configFile = join(start.folder.path, "config.yml");
  await writeFile(configFile, JSON.stringify(start.config));
  const program = start.options.program === "docker-registry" ? binary("docker-registry") : binary("registry");
  const ca = start.options.proxyOf?.caFile;
  return launch({
    command: [program, "serve", configFile],
    logFile: join(start.folder.path, "registry.log"),
    env: { OTEL_TRACES_EXPORTER: "none", ...(ca === undefined ? {} : { SSL_CERT_FILE: ca }) },
    ready: async () => (await get(start.endpoint, READY_PATH, { signal: AbortSignal.timeout(1000) })).ok,
  });
}

async function accessConfig(
  access: Access,
  at: { readonly folder: string; readonly tls: KeyPair | undefined },
): Promise<AccessConfig> {
  switch (access.kind) {
    case "anonymous":
      return { config: {} };
    case "htpasswd": {
      const path = join(at.folder, "htpasswd");
      const hash = await Bun.password.hash(access.user.password, { algorithm: "bcrypt", cost: 4 });
      await writeFile(path, `${access.user.username}:${hash}\n`);
      return { config: { auth: { htpasswd: { realm: "registry.test", path } } } };
    }
    case "token": {
      const { kind: _, ...grants } = access;
      const tokens = startTokenServer({
        ...grants,
        folder: at.folder,
        ...(at.tls === undefined ? {} : { tls: at.tls }),
      });
      const { realm, service, issuer, jwksFile } = tokens;
      return { config: { auth: { token: { realm, service, issuer, jwks: jwksFile } } }, tokens };
    }
  }
}

function proxyConfig(upstream: Endpoint): object {
  return { remoteurl: urlOf(upstream), ...upstream.credentials };
}

async function serverCertificate(folder: string): Promise<KeyPair & { readonly caFile: string }> {
  const authority = await createAuthority(folder);
  const names = ["DNS:localhost", "DNS:*.test", "IP:127.0.0.1"];
  const leaf = await issueCertificate(authority, { folder, name: "server", names, use: "server" });
  return { ...leaf, caFile: authority.certFile };
}

async function loggedRequests(logFile: string): Promise<readonly LoggedRequest[]> {
  const found: LoggedRequest[] = [];
  for (const line of (await Bun.file(logFile).text()).split("\n")) {
    const [, method, target, status] = /^\S+ - \S+ \[[^\]]*\] "(\S+) (\S+) HTTP\/[\d.]+" (\d{3}) /.exec(line) ?? [];
    if (method === undefined || target === undefined || target === READY_PATH) continue;
    found.push({ method, target, status: Number(status) });
  }
  return found;
}
