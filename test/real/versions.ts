import { homedir } from "node:os";
import { join } from "node:path";

/** A program built by `go install MODULE/PACKAGE@VERSION` into `<cache>/<name>@<version>/`. */
export interface GoProgram {
  readonly name: string;
  readonly version: string;
  /** Import paths; the last segment of each names the binary. */
  readonly packages: readonly string[];
}

/** A package installed by `apt-get install`; `command` is what stands on the path afterwards. */
export interface DebianPackage {
  readonly name: string;
  readonly command: string;
}

/** Every Go program the real tests run, pinned. To move to a newer one, change its version here. */
export const GO_PROGRAMS: readonly GoProgram[] = [
  { name: "crane", version: "v0.22.1", packages: ["github.com/google/go-containerregistry/cmd/crane"] },
  { name: "distribution", version: "v3.1.2", packages: ["github.com/distribution/distribution/v3/cmd/registry"] },
  {
    name: "regctl",
    version: "v0.11.7",
    packages: ["github.com/regclient/regclient/cmd/regctl", "github.com/regclient/regclient/cmd/regsync"],
  },
  { name: "oras", version: "v1.3.6", packages: ["oras.land/oras/cmd/oras"] },
  { name: "versitygw", version: "v1.8.0", packages: ["github.com/versity/versitygw/cmd/versitygw"] },
  { name: "helm", version: "v3.22.0", packages: ["helm.sh/helm/v3/cmd/helm"] },
  {
    name: "conformance",
    version: "v0.0.0-20260831232431-97274622c111",
    packages: ["github.com/opencontainers/distribution-spec/conformance"],
  },
  {
    name: "containerd",
    version: "v2.4.2",
    packages: ["github.com/containerd/containerd/v2/cmd/containerd", "github.com/containerd/containerd/v2/cmd/ctr"],
  },
];

/** Every Debian package the real tests and the benchmarks run; the release chooses their versions. */
export const DEBIAN_PACKAGES: readonly DebianPackage[] = [
  { name: "busybox-static", command: "busybox" },
  { name: "ca-certificates", command: "update-ca-certificates" },
  { name: "curl", command: "curl" },
  { name: "docker.io", command: "dockerd" },
  { name: "docker-registry", command: "docker-registry" },
  { name: "jq", command: "jq" },
  { name: "nginx-light", command: "nginx" },
  { name: "openssl", command: "openssl" },
  { name: "podman", command: "podman" },
  { name: "skopeo", command: "skopeo" },
  { name: "umoci", command: "umoci" },
  { name: "wrk", command: "wrk" },
];

/** Folder of everything that is built once and kept: programs and images. */
export function cacheRoot(): string {
  return process.env["PERIPLUS_CACHE"] ?? join(homedir(), ".cache", "periplus");
}

/** Folder that holds one version of a Go program. */
export function programFolder(program: GoProgram): string {
  return join(cacheRoot(), `${program.name}@${program.version}`);
}

/** Names of the binaries a Go program consists of. */
export function binariesOf(program: GoProgram): readonly string[] {
  return program.packages.map((path) => path.slice(path.lastIndexOf("/") + 1));
}

/** Absolute path of a binary: of the pinned Go program when there is one, else of the command on the path. */
export function binary(name: string): string {
  const program = GO_PROGRAMS.find((candidate) => binariesOf(candidate).includes(name));
  const path = program === undefined ? Bun.which(name) : join(programFolder(program), name);
  if (path === null) throw new Error(`${name} is not installed: run \`npm run test:real\`, which installs it`);
  return path;
}
