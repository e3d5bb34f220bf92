import { asFailure } from "../errors/failure.ts";
import { type Digest, parseDigest } from "../reference/digest.ts";
import type { BlobToPush, PushedBlob } from "../registry/writable.ts";
import { cancelled } from "./answers.ts";
import { type ByteSource, partOf } from "./bytes.ts";
import { blobPath, listedContent } from "./content.ts";
import { layoutMarker } from "./folder-sink.ts";
import { emptyIndex, formatIndexFile } from "./index-json.ts";
import { receive } from "./receive.ts";
import { Shelf } from "./shelf.ts";
import { hashBytes, hashFor } from "./stream.ts";
import { openTarDraft, type TarDraft } from "./tar-draft.ts";
import { scanTar } from "./tar-scan.ts";
import { tarHeader } from "./tar-write.ts";
import { Turns } from "./turns.ts";
import { type ImageWriter, type LayoutSink, layoutWriter } from "./writer.ts";

/**
 * Begins an OCI archive, `oci-archive:FILE`, under the name `FILE.part`. What an earlier run left there is hashed and gone on
 * with. Blobs are written one after the other, at most one chunk of each in memory. `FILE` itself is never written over.
 */
export async function openArchiveWriter(path: string, signal: AbortSignal): Promise<ImageWriter> {
  const tar = await openTarDraft(path, "kept");
  try {
    const listed = await readLeft(tar, signal);
    const shelf = new Shelf({ name: `oci-archive:${path}`, entries: [], content: listedContent(listed) });
    return layoutWriter(shelf, archiveSink(tar, listed));
  } catch (error) {
    await tar.close("kept");
    throw asFailure(error, "STORAGE_FAILED", `cannot go on with ${path}.part`);
  }
}

/** The blobs that are whole in what was left; the tar is cut behind the last of them. */
async function readLeft(tar: TarDraft, signal: AbortSignal): Promise<Map<Digest, ByteSource>> {
  const listed = new Map<Digest, ByteSource>();
  let endByte = 0;
  for await (const item of scanTar(tar.written, signal)) {
    if (item.kind !== "file") break;
    const [, algorithm, hex] = /^blobs\/([a-z0-9]+)\/([0-9a-f]+)$/.exec(item.path) ?? [];
    const digest = parseDigest(`${algorithm}:${hex}`);
    if (digest === undefined) break;
    const blob = partOf(tar.written, item);
    const hash = hashFor(digest);
    await hashBytes(blob, hash, signal);
    if (hash.digest() !== digest) break;
    listed.set(digest, blob);
    endByte = item.next;
  }
  await tar.cutAt(endByte);
  return listed;
}

function archiveSink(tar: TarDraft, listed: Map<Digest, ByteSource>): LayoutSink {
  const turns = new Turns();
  return {
    content: listedContent(listed),
    async put(blob, signal) {
      const put = await turns.take(signal, () => putBlob({ tar, listed }, blob, signal));
      return put ?? cancelled(`the blob ${blob.digest}`);
    },
    async finish(change) {
      try {
        await tar.add("oci-layout", new TextEncoder().encode(layoutMarker));
        await tar.add("index.json", formatIndexFile(change(emptyIndex)));
      } catch (error) {
        await tar.close("kept");
        throw asFailure(error, "STORAGE_FAILED", `cannot write ${tar.written.name}`);
      }
      await tar.publish();
    },
    abandon: () => tar.close("kept"),
  };
}

async function putBlob(
  { tar, listed }: { readonly tar: TarDraft; readonly listed: Map<Digest, ByteSource> },
  blob: BlobToPush,
  signal: AbortSignal,
): Promise<PushedBlob> {
  if (listed.has(blob.digest)) return { kind: "pushed", sentBytes: 0 };
  const path = blobPath(blob.digest);
  const entry = tar.begin(tarHeader(path, blob.sizeBytes).byteLength);
  let isWhole = false;
  try {
    const pushed = await receive(blob, (bytes) => entry.write(bytes), signal);
    if (pushed.kind !== "pushed") return pushed;
    await entry.finish(path);
    isWhole = true;
    listed.set(blob.digest, partOf(tar.written, { offset: entry.dataOffset, sizeBytes: blob.sizeBytes }));
    return pushed;
  } finally {
    if (!isWhole) await entry.drop();
  }
}
