import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Finished, run, temporaryFolder } from "./process.ts";
import { binary } from "./versions.ts";

/** Podman (as root) whose storage is in a temporary folder; nothing runs between commands. */
export interface Podman extends AsyncDisposable {
  /** Runs a command, with a `registries.conf` in place of the empty one where one is named. */
  readonly podman: (args: readonly string[], registriesFile?: string) => Promise<Finished>;
}

/** Makes the storage folder; layers are kept by plain copies (vfs), so that no overlay mount is needed. */
export async function createPodman(): Promise<Podman> {
  const folder = await temporaryFolder("podman");
  const noRegistries = join(folder.path, "registries.conf");
  await writeFile(noRegistries, "unqualified-search-registries = []\n");
  const storage = ["--root", join(folder.path, "root"), "--runroot", join(folder.path, "run")];
  const quiet = ["--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", "--events-backend", "none"];
  return {
    podman: (args, registriesFile = noRegistries) =>
      run([binary("podman"), ...storage, ...quiet, ...args], { env: { CONTAINERS_REGISTRIES_CONF: registriesFile } }),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}
