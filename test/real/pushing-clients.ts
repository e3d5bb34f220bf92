import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { certificateFlag, dockerConfig, userFlag } from "./client-files.ts";
import type { Engines } from "./clients.ts";
import type { Endpoint } from "./endpoint.ts";
import { type Finished, mustRun, outputOf, temporaryFolder } from "./process.ts";
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
  const { scheme } = to.endpoint;
  const options = [
    "--src-tls-verify=false",
    `--dest-tls-verify=${scheme === "https"}`,
    ...(await certificateFlag(to.endpoint, folder, "--dest-cert-dir")),
    ...userFlag(to.endpoint, "--dest-creds"),
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

/** Pushes an image that an engine has pulled from an open registry, and keeps nothing. Gives the digest of what was pushed. */
type EnginePush = (engines: Engines, from: ImageAt, to: ImageAt, folder: string) => Promise<string>;

/** Engines push what they hold, which is one platform, and podman and Docker make its manifest anew. */
export const ENGINE_PUSHERS: readonly (readonly [name: string, push: EnginePush])[] = [
  ["podman", podmanPush],
  ["docker", dockerPush],
  ["containerd", containerdPush],
];

async function podmanPush(
  { podman: { podman } }: Engines,
  from: ImageAt,
  to: ImageAt,
  folder: string,
): Promise<string> {
  const digestFile = join(folder, "digest");
  const options = [
    `--tls-verify=${to.endpoint.scheme === "https"}`,
    ...(await certificateFlag(to.endpoint, folder, "--cert-dir")),
    ...userFlag(to.endpoint, "--creds"),
  ];
  await inOrder(podman, [
    ["pull", "--quiet", "--tls-verify=false", at(from)],
    ["tag", at(from), at(to)],
    ["push", "--quiet", "--digestfile", digestFile, ...options, at(to)],
    ["rmi", "--all", "--force"],
  ]);
  return (await Bun.file(digestFile).text()).trim();
}

async function dockerPush(
  { docker: { docker } }: Engines,
  from: ImageAt,
  to: ImageAt,
  folder: string,
): Promise<string> {
  const logins = await dockerConfig(to.endpoint, folder);
  const [, , pushed = ""] = await inOrder(
    (args) => docker(args, logins),
    [
      ["pull", "--quiet", at(from)],
      ["tag", at(from), at(to)],
      ["push", at(to)],
      ["image", "prune", "--all", "--force"],
    ],
  );
  return /digest: (sha256:[0-9a-f]{64})/.exec(pushed)?.[1] ?? pushed;
}

async function containerdPush({ containerd }: Engines, from: ImageAt, to: ImageAt): Promise<string> {
  const { scheme } = to.endpoint;
  if (scheme === "https") await containerd.mirror(to.endpoint.host, to.endpoint);
  const options = scheme === "http" ? ["--plain-http"] : ["--hosts-dir", containerd.hostsFolder];
  const [, , , listed = ""] = await inOrder(containerd.ctr, [
    ["images", "pull", "--snapshotter", "native", "--plain-http", "--all-platforms", at(from)],
    ["images", "tag", at(from), at(to)],
    ["images", "push", ...options, ...userFlag(to.endpoint, "--user"), at(to)],
    ["images", "ls", `name==${at(to)}`],
    ["images", "rm", "--sync", at(from), at(to)],
  ]);
  return /sha256:[0-9a-f]{64}/.exec(listed)?.[0] ?? listed;
}

/** Runs commands one after the other and gives what each printed. Throws with what the first one printed that failed. */
async function inOrder(
  act: (args: readonly string[]) => Promise<Finished>,
  commands: readonly (readonly string[])[],
): Promise<readonly string[]> {
  const printed: string[] = [];
  for (const args of commands) printed.push(outputOf(args, await act(args)));
  return printed;
}
