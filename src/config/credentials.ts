import type { Credential, CredentialSource } from "./credential.ts";
import { Failure } from "../errors/failure.ts";
import { runCredentialHelper } from "./credential-helper.ts";
import { dockerConfigPaths, parseDockerConfig } from "./docker-config.ts";
import type { Environment } from "./environment.ts";
import { readContent, type ReadFile, withoutLineEnd } from "./files.ts";
import { remembered } from "./remembered.ts";
import type { Upstream } from "./settings.ts";
import { parseHost, type RegistryHost } from "../reference/host.ts";

/** What credentials are read from. */
export interface CredentialWorld {
  readonly env: Environment;
  readonly readFile: ReadFile;
  /** Any clock that only goes forward. */
  readonly nowMs: () => number;
  /** How long a credential helper may take. */
  readonly helperTimeoutMs: number;
}

/**
 * Where an upstream's credential comes from. It is read when it is asked for and remembered for a minute, so that a rotated one is taken
 * up. The source throws `CONFIG_INVALID` when it cannot be read; what is in it is in no message.
 */
export function credentialSource(upstream: Upstream, world: CredentialWorld): CredentialSource {
  const { credentials, url } = upstream;
  switch (credentials.kind) {
    case "none":
      return () => Promise.resolve(undefined);
    case "docker-config":
      return remembered(() => dockerCredential(parseHost(new URL(url).host), world), world.nowMs);
    case "password-file": {
      const { username, passwordFile } = credentials;
      return remembered(() => passwordFromFile(username, passwordFile, world.readFile), world.nowMs);
    }
  }
}

async function passwordFromFile(username: string, file: string, readFile: ReadFile): Promise<Credential> {
  const content = await readContent(readFile, file);
  if (content.kind === "unreadable")
    throw new Failure({ code: "CONFIG_INVALID", message: `${file} ${content.reason}` });
  return { kind: "basic", username, password: withoutLineEnd(content.text) };
}

/**
 * What docker or podman know for the host that requests go to, which is not always the name of the registry: a credential is for where it
 * was given for. The first place that has one decides.
 */
async function dockerCredential(
  host: RegistryHost | undefined,
  world: CredentialWorld,
): Promise<Credential | undefined> {
  if (host === undefined) return undefined;
  for (const file of dockerConfigPaths(world.env)) {
    const content = await readContent(world.readFile, file);
    if (content.kind === "unreadable") {
      if (content.isAbsent) continue;
      throw new Failure({ code: "CONFIG_INVALID", message: `${file} ${content.reason}` });
    }
    const config = parseDockerConfig(file, content.text);
    for (const helper of config.helpersFor(host)) {
      const found = await runCredentialHelper({ helper, host, env: world.env, timeoutMs: world.helperTimeoutMs });
      if (found !== undefined) return found;
    }
    const found = config.storedFor(host);
    if (found !== undefined) return found;
  }
  return undefined;
}
