import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { basicAuthorization, type Endpoint } from "./endpoint.ts";
import { mustRun, temporaryFolder } from "./process.ts";
import { binary } from "./versions.ts";

/** An image at a registry, `REPOSITORY:TAG`. */
export interface ImageAt {
  readonly endpoint: Endpoint;
  readonly name: string;
}

/** A client that copies an image from one registry to another. The source is open, and spoken to over plain HTTP. */
type Push = (from: ImageAt, to: ImageAt, folder: string) => Promise<void>;

/** Clients that push byte for byte, all platforms. */
export const PUSHERS: readonly (readonly [name: string, push: Push])[] = [
  ["crane", cranePush],
  ["skopeo", skopeoPush],
  ["oras", orasPush],
  ["regctl", regctlPush],
];

/** Copies an image with a client, in a folder of its own. Throws with what the client printed. */
export async function pushWith(push: Push, from: ImageAt, to: ImageAt): Promise<void> {
  await using folder = await temporaryFolder("push");
  await push(from, to, folder.path);
}

/** A folder for `DOCKER_CONFIG`, as `docker login` writes it. */
export async function dockerConfig({ host, credentials }: Endpoint, folder: string): Promise<string> {
  const at = join(folder, "docker");
  await mkdir(at, { recursive: true });
  const auth = credentials && basicAuthorization(credentials).slice("Basic ".length);
  await writeFile(join(at, "config.json"), JSON.stringify({ auths: auth === undefined ? {} : { [host]: { auth } } }));
  return at;
}

/** A folder of authorities as skopeo and podman want it, with the flag that names it. */
export async function authorityFlag({ caFile }: Endpoint, folder: string, flag: string): Promise<readonly string[]> {
  if (caFile === undefined) return [];
  const at = join(folder, "certificates");
  await mkdir(at, { recursive: true });
  await writeFile(join(at, "ca.crt"), await Bun.file(caFile).text());
  return [flag, at];
}

function at({ endpoint, name }: ImageAt): string {
  return `${endpoint.host}/${name}`;
}

async function cranePush(from: ImageAt, to: ImageAt, folder: string): Promise<void> {
  const { caFile } = to.endpoint;
  const env = {
    DOCKER_CONFIG: await dockerConfig(to.endpoint, folder),
    ...(caFile === undefined ? {} : { SSL_CERT_FILE: caFile }),
  };
  await mustRun([binary("crane"), "copy", at(from), at(to)], { env });
}

async function skopeoPush(from: ImageAt, to: ImageAt, folder: string): Promise<void> {
  const { scheme, credentials } = to.endpoint;
  const options = [
    "--src-tls-verify=false",
    `--dest-tls-verify=${scheme === "https"}`,
    ...(await authorityFlag(to.endpoint, folder, "--dest-cert-dir")),
    ...(credentials === undefined ? [] : ["--dest-creds", `${credentials.username}:${credentials.password}`]),
  ];
  const copy = ["copy", "--all", "--preserve-digests", "--quiet", ...options];
  await mustRun([binary("skopeo"), "--insecure-policy", ...copy, `docker://${at(from)}`, `docker://${at(to)}`]);
}

async function orasPush(from: ImageAt, to: ImageAt): Promise<void> {
  const { scheme, caFile, credentials } = to.endpoint;
  const options = [
    "--from-plain-http",
    `--to-plain-http=${scheme === "http"}`,
    ...(caFile === undefined ? [] : ["--to-ca-file", caFile]),
    ...(credentials === undefined ? [] : ["--to-username", credentials.username]),
    ...(credentials === undefined ? [] : ["--to-password", credentials.password]),
  ];
  await mustRun([binary("oras"), "cp", "--recursive", "--no-tty", ...options, at(from), at(to)]);
}

async function regctlPush(from: ImageAt, to: ImageAt, folder: string): Promise<void> {
  const { host, scheme, caFile, credentials } = to.endpoint;
  const settings = {
    tls: scheme === "http" ? "disabled" : "enabled",
    ...(caFile === undefined ? {} : { regcert: await Bun.file(caFile).text() }),
    ...(credentials === undefined ? {} : { user: credentials.username, pass: credentials.password }),
  };
  const file = join(folder, "regctl.json");
  await writeFile(file, JSON.stringify({ hosts: { [host]: settings, [from.endpoint.host]: { tls: "disabled" } } }));
  const copy = ["image", "copy", "--referrers", "--digest-tags", at(from), at(to)];
  await mustRun([binary("regctl"), ...copy], { env: { REGCTL_CONFIG: file } });
}
