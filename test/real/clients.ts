import { mkdir, readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { certificateFlag, dockerConfig, userFlag } from "./client-files.ts";
import type { Containerd } from "./containerd.ts";
import type { Docker } from "./docker.ts";
import type { Endpoint } from "./endpoint.ts";
import { contentOf, entriesOf } from "./layout.ts";
import type { Podman } from "./podman.ts";
import { type Finished, run, type RunOptions } from "./process.ts";
import { binary } from "./versions.ts";

/** An image to pull: `reference` is a tag or a digest. */
interface Source {
  readonly endpoint: Endpoint;
  readonly repository: string;
  readonly reference: string;
  /**
   * The registry the image is named after (`registry.k8s.io`), for which the endpoint is configured as a mirror:
   * containerd and regctl ask it with `?ns=`, skopeo and podman put the name before the repository, docker has mirrors of docker.io
   * alone, and crane and oras have no such thing.
   */
  readonly namespace?: string;
}

/** What a client holds after a pull. Refusals are values: tests are about them as well. */
export type Pulled =
  | { readonly kind: "pulled"; readonly digest: string; readonly content: ReadonlySet<string> }
  | { readonly kind: "refused"; readonly output: string };

/**
 * A real client. `keeps` says what `content` has: the whole index, the one platform linux/amd64 (and the index), or
 * only the names of manifest and config, where the client turns layers into something else.
 */
export interface Client {
  readonly name: string;
  readonly keeps: "everything" | "one platform" | "manifest and config";
  /** `folder` is empty and the client's own. Every pull begins with nothing held, also in podman and containerd. */
  pull(source: Source, folder: string): Promise<Pulled>;
}

/** The reference as it is written for a client: `HOST/REPOSITORY:TAG` or `HOST/REPOSITORY@DIGEST`. */
function referenceOf(source: Source): string {
  const separator = source.reference.includes(":") ? "@" : ":";
  return `${source.namespace ?? source.endpoint.host}/${source.repository}${separator}${source.reference}`;
}

/** The clients that need nothing running: crane, skopeo, oras and regctl, each of which copies into an OCI layout. */
export const COPYING_CLIENTS: readonly Client[] = [
  { name: "crane", keeps: "everything", pull: cranePull },
  { name: "skopeo", keeps: "everything", pull: skopeoPull },
  { name: "oras", keeps: "everything", pull: orasPull },
  { name: "regctl", keeps: "everything", pull: regctlPull },
];

/** What some clients are the clients of. */
export interface Engines {
  readonly podman: Podman;
  readonly containerd: Containerd;
  readonly docker: Docker;
}

/** All clients: the copying ones and the engines'. */
export function allClients({ podman, containerd, docker }: Engines): readonly Client[] {
  return [...COPYING_CLIENTS, podmanClient(podman), containerdClient(containerd), dockerClient(docker)];
}

async function cranePull(source: Source, folder: string): Promise<Pulled> {
  const { endpoint } = source;
  const docker = await dockerConfig(endpoint, folder);
  const env = { DOCKER_CONFIG: docker, ...(endpoint.caFile === undefined ? {} : { SSL_CERT_FILE: endpoint.caFile }) };
  const layout = join(folder, "layout");
  return copied([binary("crane"), "pull", "--format", "oci", referenceOf(source), layout], { layout, env });
}

/** Into skopeo's plain folder: an OCI layout would make it convert Docker's manifests. */
async function skopeoPull(source: Source, folder: string): Promise<Pulled> {
  const into = join(folder, "image");
  const options = [
    ...(source.endpoint.scheme === "http" ? ["--src-tls-verify=false"] : []),
    ...(await certificateFlag(source.endpoint, folder, "--src-cert-dir")),
    ...userFlag(source.endpoint, "--src-creds"),
  ];
  const copy = ["copy", "--all", "--preserve-digests", "--quiet", ...options];
  const conf = source.namespace === undefined ? [] : ["--registries-conf", await registriesConf(source, folder)];
  const skopeo = [binary("skopeo"), "--insecure-policy", ...conf, ...copy];
  const finished = await run([...skopeo, `docker://${referenceOf(source)}`, `dir:${into}`]);
  if (finished.code !== 0) return refused(finished);
  const files = await readdir(into);
  const digests = await Promise.all(files.map((file) => sha256Of(join(into, file))));
  return { kind: "pulled", digest: await sha256Of(join(into, "manifest.json")), content: new Set(digests) };
}

async function orasPull(source: Source, folder: string): Promise<Pulled> {
  const { scheme, caFile, credentials, clientCertificate: own } = source.endpoint;
  const layout = join(folder, "layout");
  const options = [
    `--from-plain-http=${scheme === "http"}`,
    ...(caFile === undefined ? [] : ["--from-ca-file", caFile]),
    ...(credentials === undefined ? [] : ["--from-username", credentials.username]),
    ...(credentials === undefined ? [] : ["--from-password", credentials.password]),
    ...(own === undefined ? [] : ["--from-cert-file", own.certFile, "--from-key-file", own.keyFile]),
  ];
  const command = [
    binary("oras"),
    "cp",
    "--no-tty",
    ...options,
    referenceOf(source),
    "--to-oci-layout",
    `${layout}:pulled`,
  ];
  return copied(command, { layout });
}

async function regctlPull(source: Source, folder: string): Promise<Pulled> {
  const { namespace, endpoint } = source;
  const { host, scheme, caFile, credentials, clientCertificate: own } = endpoint;
  const config = join(folder, "regctl.json");
  const settings = {
    tls: scheme === "http" ? "disabled" : "enabled",
    ...(caFile === undefined ? {} : { regcert: await textOf(caFile) }),
    ...(credentials === undefined ? {} : { user: credentials.username, pass: credentials.password }),
    ...(own === undefined ? {} : { clientCert: await textOf(own.certFile), clientKey: await textOf(own.keyFile) }),
  };
  const mirrored = namespace === undefined ? {} : { [namespace]: { mirrors: [host] } };
  await writeFile(config, JSON.stringify({ hosts: { [host]: settings, ...mirrored } }));
  const layout = join(folder, "layout");
  const command = [binary("regctl"), "image", "copy", referenceOf(source), `ocidir://${layout}:pulled`];
  return copied(command, { layout, env: { REGCTL_CONFIG: config } });
}

function podmanClient({ podman }: Podman): Client {
  const pull = async (source: Source, folder: string): Promise<Pulled> => {
    const options = [
      `--tls-verify=${source.endpoint.scheme === "https"}`,
      ...(await certificateFlag(source.endpoint, folder, "--cert-dir")),
      ...userFlag(source.endpoint, "--creds"),
    ];
    const conf = await registriesConf(source, folder);
    const pulled = await podman(["pull", "--quiet", ...options, referenceOf(source)], conf);
    if (pulled.code !== 0) return refused(pulled);
    const format = "{{.Digest}} sha256:{{.Id}}";
    const inspected = await podman(["image", "inspect", "--format", format, referenceOf(source)]);
    const [digest = "", config = ""] = inspected.stdout.trim().split(" ");
    await podman(["rmi", "--all", "--force"]);
    return { kind: "pulled", digest, content: new Set([digest, config]) };
  };
  return { name: "podman", keeps: "manifest and config", pull };
}

function containerdClient(containerd: Containerd): Client {
  const pull = async (source: Source): Promise<Pulled> => {
    const { host, scheme, caFile } = source.endpoint;
    const hosts = source.namespace !== undefined || caFile !== undefined;
    if (hosts) await containerd.mirror(source.namespace ?? host, source.endpoint);
    const options = [
      ...(hosts ? ["--hosts-dir", containerd.hostsFolder] : []),
      ...(!hosts && scheme === "http" ? ["--plain-http"] : []),
      ...userFlag(source.endpoint, "--user"),
    ];
    const reference = referenceOf(source);
    const pulled = await containerd.ctr(["images", "pull", "--snapshotter", "native", ...options, reference]);
    if (pulled.code !== 0) return refused(pulled);
    const { stdout } = await containerd.ctr(["images", "ls", `name==${reference}`]);
    const digest = /sha(?:256|512):[0-9a-f]+/.exec(stdout)?.[0] ?? "";
    const content = (await containerd.ctr(["content", "ls", "-q"])).stdout.trim().split("\n");
    await containerd.ctr(["images", "rm", "--sync", reference]);
    return { kind: "pulled", digest, content: new Set(content) };
  };
  return { name: "containerd", keeps: "one platform", pull };
}

/** Docker has mirrors of docker.io alone, and asks the registry itself for what they do not have. */
function dockerClient({ docker, mirror }: Docker): Client {
  const pull = async (source: Source, folder: string): Promise<Pulled> => {
    if (source.namespace !== undefined) await mirror(source.endpoint);
    const reference = referenceOf(source);
    const pulled = await docker(["pull", "--quiet", reference], await dockerConfig(source.endpoint, folder));
    if (pulled.code !== 0) return refused(pulled);
    const inspected = await docker(["image", "inspect", "--format", "{{index .RepoDigests 0}} {{.Id}}", reference]);
    const [named = "", config = ""] = inspected.stdout.trim().split(" ");
    const digest = named.slice(named.indexOf("@") + 1);
    await docker(["image", "prune", "--all", "--force"]);
    return { kind: "pulled", digest, content: new Set([digest, config]) };
  };
  return { name: "docker", keeps: "manifest and config", pull };
}

/** Runs a command that fills a layout, then hashes every blob that is reachable from its one entry. */
async function copied(command: readonly string[], into: { readonly layout: string } & RunOptions): Promise<Pulled> {
  await mkdir(dirname(into.layout), { recursive: true });
  const finished = await run(command, into);
  if (finished.code !== 0) return refused(finished);
  const [entry] = await entriesOf(into.layout);
  if (entry === undefined) throw new Error(`nothing in ${into.layout} after ${command.join(" ")}`);
  const content = await contentOf(into.layout, entry.digest);
  return { kind: "pulled", digest: entry.digest, content: new Set(content.keys()) };
}

async function sha256Of(path: string): Promise<string> {
  const hasher = new Bun.CryptoHasher("sha256").update(await Bun.file(path).arrayBuffer());
  return `sha256:${hasher.digest("hex")}`;
}

function refused(finished: Finished): Pulled {
  return { kind: "refused", output: `${finished.stdout}${finished.stderr}` };
}

/** A `registries.conf` by which skopeo and podman ask the endpoint for the images of the source's namespace, if any. */
async function registriesConf({ namespace, endpoint }: Source, folder: string): Promise<string> {
  const file = join(folder, "registries.conf");
  const mirror = [`location = "${endpoint.host}/${namespace}"`, `insecure = ${endpoint.scheme === "http"}`];
  const lines = ["[[registry]]", `location = "${namespace}"`, "[[registry.mirror]]", ...mirror, ""];
  await writeFile(file, namespace === undefined ? "" : lines.join("\n"));
  return file;
}

function textOf(file: string): Promise<string> {
  return Bun.file(file).text();
}
