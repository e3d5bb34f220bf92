import { childrenOf, type Descriptor, manifestMaxBytes } from "../manifest/manifest.ts";
import type { Digest } from "../reference/digest.ts";
import type { Platform } from "../reference/platform.ts";
import { readDocument } from "./content.ts";
import { nameOf } from "./image-name.ts";
import { platformOfConfig } from "./manifest-facts.ts";
import type { Shelf } from "./shelf.ts";

/** One image of a layout or archive. */
export interface ListedImage {
  /** Its name as it stands there; absent when it has none. */
  readonly reference: string | undefined;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly artifactType: string | undefined;
  readonly platforms: readonly Platform[];
  /** Everything it consists of, each blob once: manifests, configs, layers, as far as these are there to be read. */
  readonly sizeBytes: number;
}

/** What is in it, in the order of its index. Throws a `Failure` for a manifest with wrong bytes. */
export async function listImages(shelf: Shelf, signal: AbortSignal): Promise<readonly ListedImage[]> {
  const rows: ListedImage[] = [];
  for (const entry of shelf.entries) {
    const { digest, mediaType, artifactType } = entry.descriptor;
    const seen = await survey(shelf, entry.descriptor, signal);
    const sizeBytes = [...seen.sizes.values()].reduce((sum, size) => sum + size, 0);
    rows.push({
      reference: nameOf(entry)?.text,
      digest,
      mediaType,
      artifactType,
      platforms: seen.platforms,
      sizeBytes,
    });
  }
  return rows;
}

interface Survey {
  readonly sizes: ReadonlyMap<Digest, number>;
  readonly platforms: readonly Platform[];
}

async function survey(shelf: Shelf, root: Descriptor, signal: AbortSignal): Promise<Survey> {
  const sizes = new Map<Digest, number>();
  const platforms = new Map<string, Platform>();
  const waiting: Descriptor[] = [root];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (sizes.has(next.digest)) continue;
    signal.throwIfAborted();
    const read = await shelf.read(next);
    if (read === undefined) continue;
    sizes.set(next.digest, next.sizeBytes);
    if (read.document.kind === "index") {
      waiting.push(...read.document.manifests.toReversed());
      continue;
    }
    for (const part of childrenOf(read.document)) sizes.set(part.digest, part.sizeBytes);
    const platform = next.platform ?? (await configPlatform(shelf, read.document.config));
    // What buildkit attests of an image is listed as one for a platform that nobody has.
    if (platform !== undefined && platform.os !== "unknown") platforms.set(JSON.stringify(platform), platform);
  }
  return { sizes, platforms: [...platforms.values()] };
}

async function configPlatform(shelf: Shelf, config: Descriptor | undefined): Promise<Platform | undefined> {
  if (config === undefined || !/container\.image|image\.config/.test(config.mediaType)) return undefined;
  const bytes = await readDocument(shelf.content, config.digest, manifestMaxBytes);
  return bytes === undefined ? undefined : platformOfConfig(bytes);
}
