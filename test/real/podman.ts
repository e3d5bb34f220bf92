import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Finished, run, temporaryFolder } from "./process.ts";
import { binary } from "./versions.ts";

/** Podman (as root) whose storage is in a temporary folder; nothing runs between commands. */
export interface Podman extends AsyncDisposable {
  /** `registries.conf` that it reads; written empty, for a test to fill with mirrors. */
  readonly registriesFile: string;
  readonly podman: (args: readonly string[]) => Promise<Finished>;
}

/** Makes the storage folder; layers are kept by plain copies (vfs), so that no overlay mount is needed. */
export async function createPodman(): Promise<Podman> {
  const folder = await temporaryFolder("podman");
  const registriesFile = join(folder.path, "registries.conf");
  await writeFile(registriesFile, "unqualified-search-registries = []\n");
  const storage = ["--root", join(folder.path, "root"), "--runroot", join(folder.path, "run")];
  const quiet = ["--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", "--events-backend", "none"];
  const env = { CONTAINERS_REGISTRIES_CONF: registriesFile };
  return {
    registriesFile,
    podman: (args) => run([binary("podman"), ...storage, ...quiet, ...args], { env }),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}
