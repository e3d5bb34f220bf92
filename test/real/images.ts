import { createCipheriv, generateKeyPairSync, sign } from "node:crypto";
import { chmod, copyFile, mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { entryNamed } from "./layout.ts";
import { mustRun } from "./process.ts";
import { binary, cacheRoot } from "./versions.ts";

/** Raise it when anything below changes: the images are made once for each version. */
const IMAGES_VERSION = "1";
const CREATED = "2024-01-01T00:00:00Z";
/** Size of the one big layer of each platform; its bytes do not compress, so the blob has this size too. */
const DATA_BYTES = 20 * 1024 * 1024;

/** Artifact type of the referrer that is attached to the app image. */
export const REFERRER_TYPE = "application/vnd.example.sbom.v1+json";
/** Media type of the payload in a cosign signature. */
const SIGNATURE_TYPE = "application/vnd.dev.cosign.simplesigning.v1+json";
/** Annotation of the payload's layer that carries the signature in base64. */
export const SIGNATURE_ANNOTATION = "dev.cosignproject.cosign/signature";

/** The layouts in the folder that `images` returns, and the names in them. */
export const LAYOUTS = {
  /** `1.0`: an OCI index of two platforms; also its signature tag, and a referrer without a name. */
  app: "app",
  /** `1.0`: the same layers under Docker's media types, as a manifest list. */
  appDocker: "app-docker",
  /** `2.1`: one OCI manifest, without the optional mediaType field. */
  tool: "tool",
  /** `1.0`: the tool again, a manifest with a sha256 digest whose config and layers have sha512 digests. */
  toolSha512: "tool-sha512",
} as const;

type Architecture = "amd64" | "arm64";

let made: Promise<string> | undefined;

/** Folder with one OCI layout for each repository, made on first use. The arm64 image holds the amd64 busybox. */
export function images(): Promise<string> {
  made ??= make(join(cacheRoot(), `images@${IMAGES_VERSION}`));
  return made;
}

async function make(folder: string): Promise<string> {
  if (await Bun.file(join(folder, "complete")).exists()) return folder;
  await mkdir(cacheRoot(), { recursive: true });
  const building = await mkdtemp(`${folder}.`);
  try {
    await build(building);
    await rm(join(building, "scratch"), { recursive: true });
    await writeFile(join(building, "complete"), "");
    await rm(folder, { recursive: true, force: true });
    await rename(building, folder);
  } finally {
    await rm(building, { recursive: true, force: true });
  }
  return folder;
}

async function build(folder: string): Promise<void> {
  await writeLayers(join(folder, "scratch"));
  await buildApp(folder);
  await tool(folder, "regctl", [
    "image",
    "mod",
    "--to-docker",
    "ocidir://app:1.0",
    "--create",
    "ocidir://app-docker:1.0",
  ]);
  await tool(folder, "umoci", ["init", "--layout", LAYOUTS.tool]);
  await umociImage(folder, { image: "tool:2.1", architecture: "amd64", layers: ["base", "tool", "etc"] });
  await buildSha512(folder);
  await attachSignature(folder);
  await attachReferrer(folder);
}

async function buildApp(folder: string): Promise<void> {
  await tool(folder, "umoci", ["init", "--layout", LAYOUTS.app]);
  for (const architecture of ["amd64", "arm64"] as const) {
    const layers = ["base", `data-${architecture}`, "etc"];
    await umociImage(folder, { image: `app:1.0-${architecture}`, architecture, layers });
  }
  const platform = (name: Architecture): readonly string[] => [
    "--ref",
    `ocidir://app:1.0-${name}`,
    "--platform",
    `linux/${name}`,
  ];
  await tool(folder, "regctl", ["index", "create", "ocidir://app:1.0", ...platform("amd64"), ...platform("arm64")]);
}

async function umociImage(
  folder: string,
  image: { readonly image: string; readonly architecture: Architecture; readonly layers: readonly string[] },
): Promise<void> {
  const at = ["--image", image.image];
  await tool(folder, "umoci", ["new", ...at]);
  for (const layer of image.layers) {
    const history = ["--history.created", CREATED, "--history.created_by", layer];
    await tool(folder, "umoci", ["raw", "add-layer", ...at, ...history, join("scratch", `${layer}.tar`)]);
  }
  const platform = ["--os", "linux", "--architecture", image.architecture];
  await tool(folder, "umoci", [
    "config",
    ...at,
    "--no-history",
    "--created",
    CREATED,
    ...platform,
    "--config.cmd",
    "/bin/sh",
  ]);
}

async function writeLayers(scratch: string): Promise<void> {
  await writeLayer(scratch, "base", async (root) => {
    await mkdir(join(root, "bin"));
    await copyFile(binary("busybox"), join(root, "bin", "busybox"));
    await chmod(join(root, "bin", "busybox"), 0o755);
    for (const name of ["sh", "ls", "cat"]) await symlink("busybox", join(root, "bin", name));
  });
  for (const architecture of ["amd64", "arm64"] as const) {
    await writeLayer(scratch, `data-${architecture}`, async (root) => {
      await writeFile(join(root, "data"), noise(architecture, DATA_BYTES));
    });
  }
  await writeLayer(scratch, "tool", (root) => writeFile(join(root, "tool"), noise("tool", 256 * 1024)));
  await writeLayer(scratch, "etc", async (root) => {
    await mkdir(join(root, "etc"));
    await writeFile(join(root, "etc", "passwd"), "root:x:0:0:root:/:/bin/sh\n");
  });
}

/** A tar that is the same whenever it is made: sorted, owned by root, of one time. */
async function writeLayer(scratch: string, name: string, fill: (root: string) => Promise<void>): Promise<void> {
  const root = join(scratch, name);
  await mkdir(root, { recursive: true });
  await fill(root);
  const fixed = ["--sort=name", `--mtime=${CREATED}`, "--owner=0", "--group=0", "--numeric-owner", "--mode=a+rX,go-w"];
  await mustRun(["tar", ...fixed, "-C", root, "-cf", `${root}.tar`, "."]);
}

/** Bytes that do not compress and are the same every time: the key stream of AES-256-CTR under the name's hash. */
function noise(name: string, sizeBytes: number): Uint8Array {
  const key = new Bun.CryptoHasher("sha256").update(name).digest();
  return createCipheriv("aes-256-ctr", key, new Uint8Array(16)).update(new Uint8Array(sizeBytes));
}

async function buildSha512(folder: string): Promise<void> {
  const copy = ["image", "mod", "--digest-algo", "sha512", "ocidir://tool:2.1", "--create", "ocidir://tool-sha512:all"];
  await tool(folder, "regctl", copy);
  const { digest } = await entryNamed(join(folder, LAYOUTS.toolSha512), "all");
  const file = join(LAYOUTS.toolSha512, "blobs", ...digest.split(":"));
  await tool(folder, "oras", ["manifest", "push", "--oci-layout", "tool-sha512:1.0", file]);
}

async function attachSignature(folder: string): Promise<void> {
  const scratch = join(folder, "scratch");
  const { digest } = await entryNamed(join(folder, LAYOUTS.app), "1.0");
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const payload = JSON.stringify({
    critical: {
      identity: { "docker-reference": "registry.test/app" },
      image: { "docker-manifest-digest": digest },
      type: "cosign container image signature",
    },
    optional: null,
  });
  const signature = sign("sha256", Buffer.from(payload), privateKey).toString("base64");
  await writeFile(join(folder, "cosign.pub"), publicKey.export({ type: "spki", format: "pem" }));
  await writeFile(join(scratch, "payload.json"), payload);
  await writeFile(join(scratch, "config.json"), `{"rootfs":{"type":"layers","diff_ids":[]},"created":"${CREATED}"}`);
  await writeFile(
    join(scratch, "signed.json"),
    JSON.stringify({ "payload.json": { [SIGNATURE_ANNOTATION]: signature } }),
  );
  const push = ["push", "--oci-layout", `../app:${signatureTag(digest)}`, "--image-spec", "v1.0"];
  const config = ["--config", "config.json:application/vnd.oci.image.config.v1+json"];
  const annotations = ["--annotation-file", "signed.json"];
  await tool(scratch, "oras", [...push, ...config, ...annotations, `payload.json:${SIGNATURE_TYPE}`]);
}

async function attachReferrer(folder: string): Promise<void> {
  const scratch = join(folder, "scratch");
  await writeFile(join(scratch, "sbom.json"), '{"packages":["busybox"]}');
  const created = `org.opencontainers.image.created=${CREATED}`;
  const attach = ["attach", "--oci-layout", "--artifact-type", REFERRER_TYPE, "--annotation", created];
  await tool(scratch, "oras", [...attach, "../app:1.0", "sbom.json:application/json"]);
}

/** cosign's tag for the signature of a digest: `sha256-HEX.sig`. */
export function signatureTag(digest: string): string {
  return `${digest.replace(":", "-")}.sig`;
}

async function tool(folder: string, name: string, args: readonly string[]): Promise<void> {
  await mustRun([binary(name), ...args], { cwd: folder });
}
