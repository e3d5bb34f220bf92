import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { basicAuthorization, type Endpoint } from "./endpoint.ts";

/** A folder for `DOCKER_CONFIG`, as `docker login` writes it. */
export async function dockerConfig({ credentials, host }: Endpoint, folder: string): Promise<string> {
  const at = join(folder, "docker");
  await mkdir(at, { recursive: true });
  const auth = credentials && basicAuthorization(credentials).slice("Basic ".length);
  await writeFile(join(at, "config.json"), JSON.stringify({ auths: auth === undefined ? {} : { [host]: { auth } } }));
  return at;
}

/** skopeo and podman take a folder in which every `*.crt` is an authority, and a `*.cert` and `*.key` their own. */
export async function certificateFlag(endpoint: Endpoint, folder: string, flag: string): Promise<readonly string[]> {
  const { caFile, clientCertificate: own } = endpoint;
  if (caFile === undefined) return [];
  const at = join(folder, "certificates");
  await mkdir(at, { recursive: true });
  await copyText(caFile, join(at, "ca.crt"));
  if (own !== undefined) {
    await copyText(own.certFile, join(at, "client.cert"));
    await copyText(own.keyFile, join(at, "client.key"));
  }
  return [flag, at];
}

/** `FLAG NAME:PASSWORD`, of an endpoint that has users. */
export function userFlag({ credentials }: Endpoint, flag: string): readonly string[] {
  return credentials === undefined ? [] : [flag, `${credentials.username}:${credentials.password}`];
}

async function copyText(from: string, to: string): Promise<void> {
  await writeFile(to, await Bun.file(from).text());
}
