import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Containerd } from "./containerd.ts";
import { type Endpoint, urlOf } from "./endpoint.ts";
import { type Finished, launch, run, temporaryFolder } from "./process.ts";
import { binary } from "./versions.ts";

/**
 * A Docker engine of our own (as root): it never runs a container, so it has no network and changes no firewall. On loopback it asks
 * by https first, but verifies nobody and shows no certificate.
 */
export interface Docker extends AsyncDisposable {
  /** Runs the client, with a folder for `DOCKER_CONFIG` in place of an empty one where one is named. */
  readonly docker: (args: readonly string[], config?: string) => Promise<Finished>;
  /** From now on images of docker.io are asked from the endpoint first. */
  readonly mirror: (endpoint: Endpoint) => Promise<void>;
}

/**
 * It has a mount namespace of its own with new control groups: where those of the machine are of the old kind, or absent, the engine
 * would want some that may not be there.
 */
const inside = `[ -e /sys/fs/cgroup/cgroup.controllers ] || mount -t cgroup2 none /sys/fs/cgroup
exec "$0" "$@"`;

/** Starts dockerd beside a containerd, and waits until its socket answers; layers are kept by plain copies (vfs). */
export async function startDocker(containerd: Containerd): Promise<Docker> {
  const folder = await temporaryFolder("docker");
  const socket = `unix://${join(folder.path, "docker.sock")}`;
  const noLogins = join(folder.path, "no-logins");
  await mkdir(noLogins);
  const settingsFile = join(folder.path, "daemon.json");
  const settings = settingsOf(folder.path, containerd);
  await writeFile(settingsFile, JSON.stringify(settings));
  const docker: Docker["docker"] = (args, config = noLogins) =>
    run([binary("docker"), "--host", socket, "--config", config, ...args]);
  const dockerd = [binary("dockerd"), "--config-file", settingsFile, "--host", socket];
  const running = await launch({
    command: ["unshare", "--mount", "--propagation", "private", "sh", "-c", inside, ...dockerd],
    logFile: join(folder.path, "docker.log"),
    ready: async () => (await docker(["version"])).code === 0,
  });
  const mirrors = async (): Promise<string> =>
    (await docker(["info", "--format", "{{json .RegistryConfig.Mirrors}}"])).stdout.trim();
  return {
    docker,
    mirror: async (endpoint) => {
      const url = `${urlOf(endpoint)}/`;
      await writeFile(settingsFile, JSON.stringify({ ...settings, "registry-mirrors": [url] }));
      running.signal("SIGHUP");
      const deadline = Date.now() + 10_000;
      while ((await mirrors()) !== JSON.stringify([url])) {
        if (Date.now() > deadline) throw new Error(`dockerd does not take ${url} as a mirror`);
        await Bun.sleep(25);
      }
    },
    [Symbol.asyncDispose]: async () => {
      await running[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

function settingsOf(folder: string, { address }: Containerd): Readonly<Record<string, unknown>> {
  return {
    containerd: address,
    "data-root": join(folder, "root"),
    "exec-root": join(folder, "exec"),
    pidfile: join(folder, "docker.pid"),
    "storage-driver": "vfs",
    bridge: "none",
    iptables: false,
    ip6tables: false,
  };
}
