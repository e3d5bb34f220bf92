import { join } from "node:path";
import { Failure } from "../errors/failure.ts";
import { parseHost, type RegistryHost } from "../reference/host.ts";
import type { Credential } from "./credential.ts";
import type { Environment } from "./environment.ts";

/** What one `config.json` or `auth.json` says about registries. */
export interface DockerConfig {
  /** Names of the helpers to ask for a host, in order: the host's own, then the one for all. */
  helpersFor(host: RegistryHost): readonly string[];
  /** The credential that stands in the file itself. Throws `CONFIG_INVALID` when it is no credential. */
  storedFor(host: RegistryHost): Credential | undefined;
}

const MAX_LENGTH = 1024 * 1024;

/** Where docker and podman keep what `login` was given: `$DOCKER_CONFIG` or `~/.docker`, then `$XDG_RUNTIME_DIR/containers`. */
export function dockerConfigPaths(env: Environment): readonly string[] {
  const { DOCKER_CONFIG: folder, HOME: home, XDG_RUNTIME_DIR: runtime } = env;
  const paths: string[] = [];
  if (folder) paths.push(join(folder, "config.json"));
  else if (home) paths.push(join(home, ".docker", "config.json"));
  if (runtime) paths.push(join(runtime, "containers", "auth.json"));
  return paths;
}

/** Reads `auths`, `credHelpers` and `credsStore`; the rest is docker's own. Throws `CONFIG_INVALID` for what is no JSON object. */
export function parseDockerConfig(file: string, text: string): DockerConfig {
  const config = text.length > MAX_LENGTH ? undefined : parseObject(text);
  if (config === undefined) throw invalid(`${file} is no JSON object of at most 1 MiB`);
  const auths = entriesOf(config, "auths");
  const helpers = entriesOf(config, "credHelpers");
  const store = config["credsStore"];
  return {
    helpersFor: (host) =>
      [...helpers.filter(([key]) => isKeyOf(key, host)).map(([, name]) => name), store].filter(isName),
    storedFor(host) {
      for (const [key, entry] of auths) {
        const found = isKeyOf(key, host) ? credentialOf(entry, `the entry "${host}" of ${file}`) : undefined;
        if (found !== undefined) return found;
      }
      return undefined;
    },
  };
}

/**
 * Keys are hosts, or URLs with the path of an API (`https://index.docker.io/v1/`). One with another path is for some repositories only,
 * and is not taken for the whole registry.
 */
export function isKeyOf(key: string, host: RegistryHost): boolean {
  const [, authority, path] = /^(?:https?:\/\/)?([^/]*)(.*)$/.exec(key) ?? [];
  return authority !== undefined && parseHost(authority) === host && /^(?:\/(?:v[12]\/?)?)?$/.test(path ?? "");
}

function credentialOf(entry: unknown, what: string): Credential | undefined {
  if (!isObject(entry)) return undefined;
  const { identitytoken: token, auth, username, password } = entry;
  if (isName(token)) return { kind: "identity-token", token };
  if (isName(username) && isName(password)) return { kind: "basic", username, password };
  if (!isName(auth)) return undefined;
  const decoded = Buffer.from(auth, "base64").toString("utf8");
  const colon = decoded.indexOf(":");
  if (colon <= 0) throw invalid(`auth in ${what} is not USER:PASSWORD in base64; log in again`);
  return { kind: "basic", username: decoded.slice(0, colon), password: decoded.slice(colon + 1).replace(/\0+$/, "") };
}

function entriesOf(config: Readonly<Record<string, unknown>>, key: string): readonly (readonly [string, unknown])[] {
  const value = config[key];
  return isObject(value) ? Object.entries(value) : [];
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isName(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

/** The cause is left out on purpose: a JSON parser's message quotes what it read. */
function invalid(message: string): Failure {
  return new Failure({ code: "CONFIG_INVALID", message });
}
