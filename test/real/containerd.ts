import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Endpoint, urlOf } from "./endpoint.ts";
import { type Finished, launch, type Running, run, temporaryFolder } from "./process.ts";
import { binary } from "./versions.ts";

/** A containerd of our own: its root, state and socket are in a temporary folder; layers are unpacked by copying. */
export interface Containerd extends AsyncDisposable {
  readonly running: Running;
  /** Path of its socket. */
  readonly address: string;
  /** Folder for `ctr images pull --hosts-dir`; `mirror` fills it. */
  readonly hostsFolder: string;
  readonly ctr: (args: readonly string[]) => Promise<Finished>;
  /** From now on images of the namespace (`registry.k8s.io`) are asked from the endpoint, with `?ns=NAMESPACE`. */
  mirror(namespace: string, endpoint: Endpoint): Promise<void>;
}

/** Starts containerd (as root) and waits until its socket answers. */
export async function startContainerd(): Promise<Containerd> {
  const folder = await temporaryFolder("containerd");
  const address = join(folder.path, "containerd.sock");
  const hostsFolder = join(folder.path, "hosts");
  const configFile = join(folder.path, "config.toml");
  await writeFile(configFile, configOf(folder.path, address));
  await mkdir(hostsFolder);
  const ctr = (args: readonly string[]): Promise<Finished> => run([binary("ctr"), "--address", address, ...args]);
  const running = await launch({
    command: [binary("containerd"), "--config", configFile],
    logFile: join(folder.path, "containerd.log"),
    ready: async () => (await ctr(["version"])).code === 0,
  });
  return {
    running,
    address,
    hostsFolder,
    ctr,
    mirror: (namespace, endpoint) => writeHosts(hostsFolder, namespace, endpoint),
    [Symbol.asyncDispose]: async () => {
      await running[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function writeHosts(hostsFolder: string, namespace: string, endpoint: Endpoint): Promise<void> {
  const folder = join(hostsFolder, namespace.replace(/:(\d+)$/, "_$1_"));
  const ca = endpoint.caFile === undefined ? "" : `\n  ca = "${endpoint.caFile}"`;
  const own = endpoint.clientCertificate;
  const client = own === undefined ? "" : `\n  client = [["${own.certFile}", "${own.keyFile}"]]`;
  await mkdir(folder, { recursive: true });
  const host = `[host."${urlOf(endpoint)}"]\n  capabilities = ["pull", "resolve", "push"]${ca}${client}\n`;
  await writeFile(join(folder, "hosts.toml"), `server = "${urlOf(endpoint)}"\n\n${host}`);
}

/** Only what a pull needs: no CRI, and no snapshotter that asks something of the kernel or the file system. */
function configOf(folder: string, address: string): string {
  const disabled = [
    "io.containerd.cri.v1.images",
    "io.containerd.cri.v1.runtime",
    "io.containerd.grpc.v1.cri",
    "io.containerd.internal.v1.opt",
    "io.containerd.internal.v1.tracing",
    "io.containerd.nri.v1.nri",
    "io.containerd.snapshotter.v1.blockfile",
    "io.containerd.snapshotter.v1.btrfs",
    "io.containerd.snapshotter.v1.devmapper",
    "io.containerd.snapshotter.v1.erofs",
    "io.containerd.snapshotter.v1.overlayfs",
    "io.containerd.snapshotter.v1.zfs",
    "io.containerd.tracing.processor.v1.otlp",
  ];
  return `version = 3
root = "${folder}/root"
state = "${folder}/state"
required_plugins = ["io.containerd.transfer.v1.local", "io.containerd.snapshotter.v1.native"]
disabled_plugins = ${JSON.stringify(disabled)}
[grpc]
  address = "${address}"
[ttrpc]
  address = "${address}.ttrpc"
[[plugins."io.containerd.transfer.v1.local".unpack_config]]
  platform = "linux/amd64"
  snapshotter = "native"
`;
}
