import { randomUUID } from "node:crypto";
import { mkdir, readdir, rmdir, stat, unlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { asFailure, Failure } from "../errors/failure.ts";
import { hexOf } from "../reference/digest.ts";
import type { Clock } from "../registry/clock.ts";
import type { BlobToPush, PushedBlob } from "../registry/writable.ts";
import { syncFolder } from "../store/files.ts";
import { isNotFound } from "./bytes.ts";
import { blobPath, folderContent } from "./content.ts";
import { openDraft } from "./draft-file.ts";
import { emptyIndex, formatIndexFile, type IndexFile } from "./index-json.ts";
import { layoutVersion, readLayoutIndex } from "./open.ts";
import { receive } from "./receive.ts";
import { Shelf } from "./shelf.ts";
import { type ImageWriter, type LayoutSink, layoutWriter } from "./writer.ts";

/** Content on its way in, in the layout's folder: containerd's name for it, which other tools pass over. */
const ingest = "ingest";
/** What nobody has written to for a day is of a writer that was killed. */
const leftOverMs = 24 * 60 * 60 * 1000;

/**
 * Opens an image layout in a folder to be written to, `oci:DIR`; makes it where the folder is missing or empty. What is there
 * stays: blobs are not written again, rows of the index are kept. Two writers at once are fine while they write other names.
 */
export async function openLayoutWriter(
  folder: string,
  { signal, clock }: { readonly signal: AbortSignal; readonly clock: Pick<Clock, "epochMs"> },
): Promise<ImageWriter> {
  const index = await beginLayout(folder);
  await sweep(join(folder, ingest), clock.epochMs() - leftOverMs);
  const shelf = new Shelf({ name: `oci:${folder}`, entries: index.entries, content: folderContent(folder) });
  await shelf.walk(signal);
  return layoutWriter(shelf, folderSink(folder));
}

async function beginLayout(folder: string): Promise<IndexFile> {
  const names = await readdir(folder).catch((error: unknown): readonly string[] => {
    if (isNotFound(error)) return [];
    throw asFailure(error, "STORAGE_FAILED", `cannot read the folder ${folder}`);
  });
  if (names.length > 0 && !names.includes("oci-layout")) {
    throw new Failure({
      code: "USAGE",
      message: `${folder} is neither empty nor an image layout: name another folder`,
    });
  }
  if (names.length > 0) return (await readLayoutIndex(folder)) ?? emptyIndex;
  try {
    await mkdir(join(folder, "blobs", "sha256"), { recursive: true });
    await writeFile(join(folder, "oci-layout"), layoutMarker);
    return emptyIndex;
  } catch (error) {
    throw asFailure(error, "STORAGE_FAILED", `cannot make the image layout ${folder}`);
  }
}

async function sweep(folder: string, beforeMs: number): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name);
    const found = await stat(path).catch(() => undefined);
    if (name.endsWith(".part") && found !== undefined && found.mtimeMs < beforeMs) await unlink(path).catch(() => {});
  }
}

/** The file `oci-layout`. */
export const layoutMarker: string = JSON.stringify({ imageLayoutVersion: layoutVersion });

function folderSink(folder: string): LayoutSink {
  // Stays when it is not empty: another writer may be at work.
  const letGo = (): Promise<void> => rmdir(join(folder, ingest)).catch(() => {});
  return {
    content: folderContent(folder),
    put: (blob, signal) => putBlob(folder, blob, signal),
    async finish(change) {
      try {
        const index = change((await readLayoutIndex(folder)) ?? emptyIndex);
        await writeWhole(join(folder, "index.json"), formatIndexFile(index));
      } catch (error) {
        throw asFailure(error, "STORAGE_FAILED", `cannot write the index of ${folder}`);
      }
      await letGo();
    },
    abandon: letGo,
  };
}

/** Puts a file in the place of another one, or leaves that. */
async function writeWhole(path: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const draft = await openDraft(`${path}.${randomUUID()}.part`, "new");
  try {
    await draft.write(bytes, 0);
    await draft.publish(path);
  } catch (error) {
    await draft.discard();
    throw error;
  }
}

async function putBlob(folder: string, blob: BlobToPush, signal: AbortSignal): Promise<PushedBlob> {
  const target = join(folder, blobPath(blob.digest));
  await mkdir(join(folder, ingest), { recursive: true });
  const made = await mkdir(dirname(target), { recursive: true });
  const draft = await openDraft(join(folder, ingest, `${hexOf(blob.digest)}.${randomUUID()}.part`), "new");
  let isPublished = false;
  try {
    let offset = 0;
    const pushed = await receive(
      blob,
      async (bytes) => {
        await draft.write(bytes, offset);
        offset += bytes.byteLength;
      },
      signal,
    );
    if (pushed.kind !== "pushed") return pushed;
    await draft.publish(target);
    isPublished = true;
    if (made !== undefined) await syncFolder(dirname(dirname(target)));
    return pushed;
  } finally {
    if (!isPublished) await draft.discard();
  }
}
