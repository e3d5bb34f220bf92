import type { RunParts } from "../copy/parts.ts";
import type { Platform } from "../reference/platform.ts";
import type { FillImage, WantedImage } from "./image.ts";
import { type FillPlan, targetPlan } from "./plan.ts";
import { readImages } from "./read-images.ts";
import type { BlobTarget } from "./target.ts";

/** What is to be filled with what. */
export interface FillWish {
  readonly images: readonly WantedImage[];
  /** Rows of what could not even be asked for. */
  readonly lost: readonly FillImage[];
  readonly targets: readonly BlobTarget[];
  /** None: all. */
  readonly platforms: readonly Platform[];
}

/** What filling would do: every image is read, and every target asked about all blobs of them. Nothing is written. */
export async function planFill(parts: RunParts, wish: FillWish): Promise<FillPlan> {
  const { images, lost, targets, platforms } = wish;
  const read = await readImages(parts, images, platforms);
  const digests = [...read.blobs.keys()];
  const plans = targets.map(async (target) =>
    targetPlan(target, await target.held(digests, parts.asking.signal), read.blobs),
  );
  return { images: [...lost, ...read.images], blobs: read.blobs, targets: await Promise.all(plans) };
}
