import { choosePlatforms } from "../copy/choice.ts";
import { readChosen } from "../copy/chosen.ts";
import type { ImageSource } from "../copy/ends.ts";
import { type CopyFailure, failureOf, thrownFailure } from "../copy/failure.ts";
import { type CopyOptions, nameAt } from "../copy/pair.ts";
import type { RunParts } from "../copy/parts.ts";
import { refusalOf } from "../copy/tree.ts";
import type { Descriptor } from "../manifest/manifest.ts";
import type { Digest } from "../reference/digest.ts";
import type { Platform } from "../reference/platform.ts";
import type { Tag } from "../reference/repository.ts";
import type { Absent, Unavailable } from "../registry/remote.ts";
import { forEachAtOnce } from "../copy/at-once.ts";
import type { FillImage, WantedBlob, WantedImage } from "./image.ts";

/** What images came to: each in its row, and every blob once. */
export interface ReadImages {
  readonly images: readonly FillImage[];
  readonly blobs: ReadonlyMap<Digest, WantedBlob>;
}

/** From each registry. */
const imagesAtOnce = 8;
/** A blob that cannot be had from one repository is tried at others, and no more of them. */
const sourcesMax = 3;

interface OneImage {
  readonly source: ImageSource;
  readonly reference: Tag | Digest;
}

/** Reads the manifests of all that is wanted, of all platforms or some. A bad image stops no other. */
export async function readImages(
  parts: RunParts,
  wanted: readonly WantedImage[],
  platforms: readonly Platform[],
): Promise<ReadImages> {
  const reading = new Reading(parts, platforms);
  const groups = Map.groupBy(wanted, ({ source }) => source.place?.registry ?? source.name);
  const rows = await Promise.all([...groups.values()].map((group) => reading.all(group)));
  return { images: rows.flat(), blobs: reading.blobs };
}

class Reading {
  readonly blobs = new Map<Digest, { digest: Digest; sizeBytes: number; sources: ImageSource[] }>();
  readonly #parts: RunParts;
  readonly #options: CopyOptions;

  constructor(parts: RunParts, platforms: readonly Platform[]) {
    this.#parts = parts;
    this.#options = { platforms, mayMakeIndex: false, mayOverwrite: false, referrers: "none", trust: "parts" };
  }

  /** The images of one registry. */
  async all(wanted: readonly WantedImage[]): Promise<readonly FillImage[]> {
    const named: (OneImage | FillImage)[] = [];
    await forEachAtOnce(wanted, imagesAtOnce, async ({ source, reference }) => {
      if (reference === "every tag") named.push(...(await this.#tagsOf(source)));
      else named.push({ source, reference });
    });
    const unique = new Map(named.map((one) => ["name" in one ? one.name : nameAt(one.source, one.reference), one]));
    const rows = new Map<string, FillImage>([...unique.keys()].map((name) => [name, rowOf(name, {})]));
    await forEachAtOnce(unique, imagesAtOnce, async ([name, one]) => {
      rows.set(name, "name" in one ? one : await this.#image(name, one));
    });
    return [...rows.values()];
  }

  async #tagsOf(source: ImageSource): Promise<readonly (OneImage | FillImage)[]> {
    const { asking } = this.#parts;
    try {
      const answer = await asking.ask(source, (limits) => source.listTags(limits));
      if (answer.kind === "found") return answer.tags.map((reference) => ({ source, reference }));
      return [rowOf(source.name, { failure: notRead(source.name, answer) })];
    } catch (error) {
      return [rowOf(source.name, { failure: thrownFailure(error) })];
    }
  }

  async #image(name: string, image: OneImage): Promise<FillImage> {
    try {
      return await this.#read(name, image);
    } catch (error) {
      return rowOf(name, { failure: thrownFailure(error) });
    }
  }

  async #read(name: string, { source, reference }: OneImage): Promise<FillImage> {
    const { asking, shelf } = this.#parts;
    const root = await asking.ask(source, (limits) => source.getManifest(reference, limits));
    if (root.kind !== "found") return rowOf(name, { failure: notRead(name, root) });
    shelf.put(root);
    const { digest } = root;
    const refusal = refusalOf(root.mediaType);
    if (refusal !== undefined) {
      return rowOf(name, { digest, failure: { kind: "manifest", side: "source", message: `${name} ${refusal}` } });
    }
    const choice = choosePlatforms(root, this.#options);
    if (choice.kind === "none") return rowOf(name, { digest, failure: choice.failure });
    const chosen = await readChosen(this.#parts, source, choice);
    if (chosen.kind === "none") return rowOf(name, { digest, failure: chosen.failure });
    const nodes = chosen.trees.flatMap((tree) => [...tree.nodes.values()]);
    const blobs = new Map(nodes.flatMap((node) => node.blobs.map((blob) => [this.#note(source, blob), blob] as const)));
    const sizeBytes = [...blobs.values()].reduce((sum, blob) => sum + blob.sizeBytes, 0);
    const warnings = chosen.trees.flatMap((tree) => tree.warnings);
    return rowOf(name, { digest, blobs: [...blobs.keys()], sizeBytes, warnings });
  }

  /** Notes a blob and gives its digest as it was noted first, so that a digest is in memory once. */
  #note(source: ImageSource, { digest, sizeBytes }: Descriptor): Digest {
    const noted = this.blobs.get(digest) ?? { digest, sizeBytes, sources: [] };
    this.blobs.set(noted.digest, noted);
    const isKnown = noted.sources.some(({ name }) => name === source.name);
    if (!isKnown && noted.sources.length < sourcesMax) noted.sources.push(source);
    return noted.digest;
  }
}

function rowOf(name: string, known: Partial<FillImage>): FillImage {
  return { name, digest: undefined, blobs: [], sizeBytes: 0, failure: undefined, warnings: [], ...known };
}

function notRead(name: string, answer: Absent | Unavailable): CopyFailure {
  if (answer.kind === "unavailable") return failureOf(answer, "source");
  return { kind: "absent", side: "source", message: `${name} is not there` };
}
