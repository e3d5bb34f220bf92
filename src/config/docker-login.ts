import { Failure } from "../errors/failure.ts";
import type { RegistryHost } from "../reference/host.ts";
import type { Credential } from "./credential.ts";
import { eraseCredential, type HelperRequest, serverOf, storeCredential } from "./credential-helper.ts";
import { dockerConfigPaths, isKeyOf, parseDockerConfig } from "./docker-config.ts";
import type { Environment } from "./environment.ts";
import { readContent, type ReadFile } from "./files.ts";

/** What logins are written with. */
export interface LoginWorld {
  readonly env: Environment;
  readonly readFile: ReadFile;
  /** Puts a text in place of a file's, whole or not at all, readable by its owner only; makes the folder. */
  readonly replaceFile: (path: string, text: string) => Promise<void>;
  /** How long a credential helper may take. */
  readonly helperTimeoutMs: number;
}

/** Where a credential went to, for people: a file, or a helper. */
export interface KeptLogin {
  readonly place: string;
}

type Config = Readonly<Record<string, unknown>>;

/**
 * Keeps a credential as `docker login` does: in the helper that the file names for the registry, else in the file itself, whose
 * other keys stay as they are. Throws `CONFIG_INVALID`.
 */
export async function keepLogin(host: RegistryHost, credential: Credential, world: LoginWorld): Promise<KeptLogin> {
  const { file, config, helper } = await open(host, world);
  const auths = without(config, host);
  if (helper === undefined) {
    await write(file, { ...config, auths: { ...auths, [serverOf(host)]: entryOf(credential) } }, world);
    return { place: file };
  }
  await storeCredential(requestOf(helper, host, world), credential);
  // As docker does: that there is a login is seen in the file, what it is, is not.
  await write(file, { ...config, auths: { ...auths, [serverOf(host)]: {} } }, world);
  return { place: `docker-credential-${helper}` };
}

/** Forgets a credential, in the helper and in the file. False when there was none. Throws `CONFIG_INVALID`. */
export async function forgetLogin(host: RegistryHost, world: LoginWorld): Promise<boolean> {
  const { file, config, helper } = await open(host, world);
  const wasKept = helper !== undefined && (await eraseCredential(requestOf(helper, host, world)));
  const auths = objectOf(config["auths"]);
  const left = without(config, host);
  const wasInFile = Object.keys(left).length < Object.keys(auths).length;
  if (wasInFile) await write(file, { ...config, auths: left }, world);
  return wasKept || wasInFile;
}

interface Opened {
  readonly file: string;
  readonly config: Config;
  readonly helper: string | undefined;
}

async function open(host: RegistryHost, { env, readFile }: LoginWorld): Promise<Opened> {
  const isDocker = Boolean(env["DOCKER_CONFIG"] || env["HOME"]);
  const [file] = dockerConfigPaths(env);
  if (file === undefined || !isDocker) throw invalid("there is no folder for logins; set HOME or DOCKER_CONFIG");
  const content = await readContent(readFile, file);
  if (content.kind === "unreadable" && !content.isAbsent) throw invalid(`${file} ${content.reason}`);
  const text = content.kind === "text" && content.text.trim() !== "" ? content.text : "{}";
  const [helper] = parseDockerConfig(file, text).helpersFor(host);
  // It was parsed: it is an object.
  return { file, config: JSON.parse(text) as Config, helper };
}

/** As docker writes it, with tabs. */
async function write(file: string, config: Config, { replaceFile }: LoginWorld): Promise<void> {
  try {
    await replaceFile(file, `${JSON.stringify(config, undefined, "\t")}\n`);
  } catch (error) {
    throw invalid(`${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** The logins of other registries. */
function without(config: Config, host: RegistryHost): Config {
  return Object.fromEntries(Object.entries(objectOf(config["auths"])).filter(([key]) => !isKeyOf(key, host)));
}

function entryOf(credential: Credential): object {
  if (credential.kind === "identity-token") return { identitytoken: credential.token };
  return { auth: Buffer.from(`${credential.username}:${credential.password}`).toString("base64") };
}

function requestOf(helper: string, host: RegistryHost, { env, helperTimeoutMs }: LoginWorld): HelperRequest {
  return { helper, host, env, timeoutMs: helperTimeoutMs };
}

function objectOf(value: unknown): Config {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as Config) : {};
}

function invalid(message: string): Failure {
  return new Failure({ code: "CONFIG_INVALID", message });
}
