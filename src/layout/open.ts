import { stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { Failure } from "../errors/failure.ts";
import { manifestMaxBytes } from "../manifest/manifest.ts";
import { type ByteSource, openBytes } from "./bytes.ts";
import { folderContent, tarContent } from "./content.ts";
import { readDockerArchive } from "./docker-read.ts";
import { type ImageSet, imageSet } from "./image-set.ts";
import { type IndexFile, parseIndexFile } from "./index-json.ts";
import { parseJson } from "./manifest-facts.ts";
import { Shelf } from "./shelf.ts";
import { indexTar, type TarIndex } from "./tar-index.ts";
import { openTar, type UnpackOptions } from "./unpack.ts";

/** The one version of the image layout that there is. OCI image spec, image-layout.md, "oci-layout file". */
export const layoutVersion = "1.0.0";

const layoutSchema = z.looseObject({ imageLayoutVersion: z.string() });

/**
 * Opens an image layout in a folder, `oci:DIR`. Throws a `Failure`: NAME_UNKNOWN where there is none, UNSUPPORTED for another
 * version, MANIFEST_INVALID for an index that cannot be relied on.
 */
export async function openLayout(folder: string, signal: AbortSignal): Promise<ImageSet> {
  const index = await readLayoutIndex(folder);
  if (index === undefined) {
    const message = `${folder} has no index.json: a copy into it has not ended, or copied nothing`;
    throw new Failure({ code: "NAME_UNKNOWN", message });
  }
  const shelf = new Shelf({ name: `oci:${folder}`, entries: index.entries, content: folderContent(folder) });
  await shelf.walk(signal);
  return imageSet(shelf, () => Promise.resolve());
}

/** The index of a layout in a folder, whose version is checked; `undefined` when there is none yet. */
export async function readLayoutIndex(folder: string): Promise<IndexFile | undefined> {
  if (!(await isFolder(folder))) throw new Failure({ code: "NAME_UNKNOWN", message: `there is no folder ${folder}` });
  const marker = await readFile(join(folder, "oci-layout"));
  if (marker === undefined) {
    throw new Failure({ code: "NAME_UNKNOWN", message: `${folder} is no image layout: it has no file oci-layout` });
  }
  checkVersion(join(folder, "oci-layout"), marker);
  const index = await readFile(join(folder, "index.json"));
  return index === undefined ? undefined : parsedIndex(join(folder, "index.json"), index);
}

/**
 * Opens an archive, OCI's or what `docker save` writes; one that is both is read as OCI's. `scheme` is how it was named. One
 * pass over the headers finds where everything lies; nothing is unpacked unless the whole is compressed. Throws a `Failure`.
 */
export async function openArchive(
  path: string,
  scheme: "oci-archive" | "docker-archive",
  options: UnpackOptions,
): Promise<ImageSet> {
  const file = await openTar(path, options);
  try {
    const tar = await indexTar(file, options.signal);
    const shelf = await readShelf(`${scheme}:${path}`, { path, tar }, options.signal);
    await shelf.walk(options.signal);
    return imageSet(shelf, () => file.close());
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function readShelf(
  name: string,
  { path, tar }: { readonly path: string; readonly tar: TarIndex },
  signal: AbortSignal,
): Promise<Shelf> {
  const index = tar.file("index.json");
  const manifest = tar.file("manifest.json");
  if (index !== undefined) {
    const marker = tar.file("oci-layout");
    if (marker === undefined) throw notRead(path, "it has an index.json and no oci-layout");
    checkVersion(`oci-layout in ${path}`, await readBounded(marker));
    const { entries } = parsedIndex(`index.json in ${path}`, await readBounded(index));
    return new Shelf({ name, entries, content: tarContent(tar) });
  }
  if (manifest !== undefined) {
    return new Shelf({ name, ...(await readDockerArchive({ path, tar, bytes: await readBounded(manifest) }, signal)) });
  }
  throw notRead(path, "it has neither index.json nor manifest.json");
}

function checkVersion(file: string, bytes: Uint8Array): void {
  const parsed = layoutSchema.safeParse(parseJson(bytes));
  const version = parsed.data?.imageLayoutVersion;
  if (version === layoutVersion) return;
  const found = version === undefined ? "no imageLayoutVersion" : `version ${version.slice(0, 40)}`;
  throw new Failure({ code: "UNSUPPORTED", message: `${file} says ${found}; only ${layoutVersion} is known` });
}

function parsedIndex(file: string, bytes: Uint8Array): IndexFile {
  const index = parseIndexFile(bytes);
  if ("kind" in index) throw new Failure({ code: "MANIFEST_INVALID", message: `${file}: ${index.reason}` });
  return index;
}

async function readBounded(source: ByteSource): Promise<Uint8Array> {
  if (source.sizeBytes > manifestMaxBytes) throw notRead(source.name, "a document in it is larger than 4 MiB");
  return source.read(0, source.sizeBytes);
}

async function readFile(path: string): Promise<Uint8Array | undefined> {
  const source = await openBytes(path).catch((error: unknown) => {
    if (error instanceof Failure && error.code === "NAME_UNKNOWN") return undefined;
    throw error;
  });
  if (source === undefined) return undefined;
  try {
    return await readBounded(source);
  } finally {
    await source.close();
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

function notRead(path: string, reason: string): Failure {
  return new Failure({ code: "MANIFEST_INVALID", message: `${path} is no archive of images: ${reason}` });
}
