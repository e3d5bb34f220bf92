import { join } from "node:path";

/** A descriptor as it stands in a manifest (image-spec, descriptor.md); `size` in bytes. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: { readonly os: string; readonly architecture: string };
  readonly annotations?: Readonly<Record<string, string>>;
  readonly artifactType?: string;
}

/** A manifest or an index, OCI's or Docker's: whichever fields it has. */
export interface ManifestJson {
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly subject?: Descriptor;
  readonly config?: Descriptor;
  readonly layers?: readonly Descriptor[];
  readonly manifests?: readonly Descriptor[];
}

const REF_NAME = "org.opencontainers.image.ref.name";

/** File of a blob in an OCI layout folder. */
export function blobFile(layout: string, digest: string): string {
  return join(layout, "blobs", ...digest.split(":"));
}

/** All entries of the layout's `index.json`. */
export async function entriesOf(layout: string): Promise<readonly Descriptor[]> {
  // Written by the tools under test or by ourselves: a wrong shape shows as a failed comparison.
  const index = (await Bun.file(join(layout, "index.json")).json()) as ManifestJson;
  return index.manifests ?? [];
}

/** The entry of a name in the layout, such as the tag `1.0`. */
export async function entryNamed(layout: string, name: string): Promise<Descriptor> {
  const found = (await entriesOf(layout)).find((entry) => entry.annotations?.[REF_NAME] === name);
  if (found === undefined) throw new Error(`${layout} has no ${name}`);
  return found;
}

/** Reads a manifest or index of the layout. */
export async function manifestIn(layout: string, digest: string): Promise<ManifestJson> {
  return (await Bun.file(blobFile(layout, digest)).json()) as ManifestJson;
}

/** Everything reachable from a manifest, each blob hashed and measured again: digest to size in bytes. */
export async function contentOf(layout: string, root: string): Promise<ReadonlyMap<string, number>> {
  const sizes = new Map<string, number>();
  const waiting = [root];
  for (let digest = waiting.pop(); digest !== undefined; digest = waiting.pop()) {
    if (sizes.has(digest)) continue;
    sizes.set(digest, await verifiedSize(layout, digest));
    if (!(await isManifest(layout, digest))) continue;
    const manifest = await manifestIn(layout, digest);
    const config = manifest.config === undefined ? [] : [manifest.config];
    const children = [...(manifest.manifests ?? []), ...config, ...(manifest.layers ?? [])];
    waiting.push(...children.map((child) => child.digest));
  }
  return sizes;
}

async function verifiedSize(layout: string, digest: string): Promise<number> {
  const file = Bun.file(blobFile(layout, digest));
  const algorithm = digest.startsWith("sha512:") ? "sha512" : "sha256";
  const hasher = new Bun.CryptoHasher(algorithm).update(await file.arrayBuffer());
  const actual = `${algorithm}:${hasher.digest("hex")}`;
  if (actual !== digest) throw new Error(`${blobFile(layout, digest)} holds ${actual}`);
  return file.size;
}

/** Manifests are small JSON with `schemaVersion`; configs have none. */
async function isManifest(layout: string, digest: string): Promise<boolean> {
  const file = Bun.file(blobFile(layout, digest));
  if (file.size > 64 * 1024) return false;
  const text = await file.text();
  return text.startsWith("{") && text.includes('"schemaVersion"');
}
