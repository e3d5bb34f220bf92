import { asFailure } from "../../errors/failure.ts";
import type { Descriptor } from "../../manifest/manifest.ts";
import { PlatformChoice } from "../../manifest/platform-choice.ts";
import { type Loaded, type Part, partsOf } from "../../manifest/walk.ts";
import type { Digest } from "../../reference/digest.ts";
import type { Platform } from "../../reference/platform.ts";
import { Gate } from "../../registry/gate.ts";
import type { ManifestRow } from "../../store/content-index.ts";
import type { Fill } from "../fill.ts";
import type { ManifestOutcome, Pull } from "../pull.ts";
import { bringBlob, type Brought } from "./bring.ts";
import type { Image } from "./image.ts";
import type { Keeping } from "./keeping.ts";
import { referrersOf } from "./referrers.ts";

/** What of each image is wanted. */
export interface WarmOptions {
  /** None means all, attestations included. */
  readonly platforms: readonly Platform[];
  /** Signatures, attestations and SBOMs too. */
  readonly referrers: boolean;
}

/** An image, and the pull that brings it. */
export interface WarmTarget {
  readonly image: Image;
  readonly pull: Pull;
}

/** What was done for an image: how much it is made of, and how much of that had to come. */
export interface WarmCount {
  readonly digest: Digest | undefined;
  readonly manifests: number;
  readonly blobs: number;
  /** Of all blobs that it names and that are held now. */
  readonly sizeBytes: number;
  readonly fetchedBytes: number;
  /** Why parts of it are missing; the first few. */
  readonly failures: readonly string[];
  readonly warnings: readonly string[];
  /** The upstream gave no word, and what is held may be older than what is there. */
  readonly isStale: boolean;
}

const blobsAtOnce = 4;
const reasonsMax = 5;

/** Fills the cache with one image. */
export class ImageWarming {
  readonly #keeping: Keeping;
  readonly #image: Image;
  readonly #pull: Pull;
  readonly #options: WarmOptions;
  readonly #signal: AbortSignal;
  readonly #choice: PlatformChoice;
  readonly #visited = new Set<Digest>();
  readonly #gate = new Gate(blobsAtOnce);
  readonly #fills = new Set<Fill>();
  readonly #bringing: Promise<void>[] = [];
  readonly #failures: string[] = [];
  readonly #warnings: string[] = [];
  #digest: Digest | undefined;
  #isStale = false;
  #manifests = 0;
  #blobs = 0;
  #sizeBytes = 0;
  #fetchedBytes = 0;

  constructor(keeping: Keeping, target: WarmTarget, options: WarmOptions, signal: AbortSignal) {
    this.#keeping = keeping;
    this.#image = target.image;
    this.#pull = target.pull;
    this.#options = options;
    this.#signal = signal;
    this.#choice = new PlatformChoice(options.platforms);
  }

  /** Bytes that have come for it, those of downloads that run included. */
  get receivedBytes(): number {
    return this.#fetchedBytes + [...this.#fills].reduce((sum, fill) => sum + fill.headBytes, 0);
  }

  /** Runs to its end; what fails is in the count. */
  async run(): Promise<WarmCount> {
    const root = await this.#root();
    if (root !== undefined) await this.#walk(root, this.#choice);
    const missing = this.#choice.missing();
    if (missing !== undefined) this.#fail(missing);
    await Promise.all(this.#bringing);
    return {
      digest: this.#digest,
      manifests: this.#manifests,
      blobs: this.#blobs,
      sizeBytes: this.#sizeBytes,
      fetchedBytes: this.#fetchedBytes,
      failures: this.#failures,
      warnings: this.#warnings,
      isStale: this.#isStale,
    };
  }

  async #root(): Promise<ManifestRow | undefined> {
    const { tag, digest } = this.#image;
    const outcome = await this.#load(digest, tag);
    if (outcome === undefined) return undefined;
    if (outcome.kind === "absent") this.#fail(`${this.#pull.place.upstream} says that it has no such manifest`);
    if (outcome.kind === "unavailable") this.#fail(outcome.message);
    if (outcome.kind !== "found") return undefined;
    this.#digest = outcome.row.digest;
    if (outcome.warning !== undefined) {
      this.#isStale = true;
      this.#warnings.push(outcome.warning);
    }
    return outcome.row;
  }

  async #load(digest: Digest | undefined, tag: Image["tag"]): Promise<ManifestOutcome | undefined> {
    const { manifests } = this.#keeping;
    if (digest === undefined && tag === undefined) return undefined;
    const outcome = await (digest === undefined
      ? tag && manifests.byTag(this.#pull, tag)
      : manifests.byDigest(this.#pull, digest));
    if (outcome?.kind === "found" && outcome.origin === "miss") {
      this.#fetchedBytes += outcome.row.bytes.byteLength;
      await this.#checkKept(outcome.row, tag);
    }
    return outcome;
  }

  /** A pull is answered also when the index could not be written; here that is a failure. */
  async #checkKept({ digest }: ManifestRow, tag: Image["tag"]): Promise<void> {
    const { index } = this.#keeping;
    const { place } = this.#pull;
    const isManifestKept = (await index.manifestAt(place, digest)) !== undefined;
    const isTagKept = tag === undefined || (await index.tag(place, tag)) !== undefined;
    if (!isManifestKept || !isTagKept) this.#fail(`${digest} came and could not be written to the index`);
  }

  async #walk(root: ManifestRow, choice: PlatformChoice): Promise<void> {
    const walk = {
      visited: this.#visited,
      load: (digest: Digest) => this.#child(digest),
      wants: (child: Descriptor) => choice.wants(child),
    };
    const manifests: Digest[] = [];
    for await (const part of partsOf(root, walk)) {
      if (this.#signal.aborted) return;
      if (part.kind === "manifest") {
        choice.note(part.document);
        manifests.push(part.row.digest);
      }
      this.#take(part);
    }
    // The referrers of what refers are not followed.
    if (this.#options.referrers && choice === this.#choice) for (const digest of manifests) await this.#refer(digest);
  }

  async #child(digest: Digest): Promise<Loaded<ManifestRow>> {
    if (this.#signal.aborted) return { kind: "lost", reason: "stopped before it was there" };
    const outcome = await this.#load(digest, undefined);
    if (outcome?.kind === "found") return { kind: "row", row: outcome.row };
    if (outcome?.kind === "unavailable") return { kind: "lost", reason: outcome.message };
    return { kind: "absent" };
  }

  async #refer(digest: Digest): Promise<void> {
    for await (const referrer of referrersOf(this.#keeping, this.#pull, digest)) {
      if (this.#signal.aborted) return;
      if (referrer.kind === "lost") {
        this.#fail(referrer.reason);
        continue;
      }
      this.#fetchedBytes += referrer.receivedBytes;
      if (!this.#visited.has(referrer.row.digest)) await this.#walk(referrer.row, new PlatformChoice([]));
    }
  }

  #take(part: Part<ManifestRow>): void {
    switch (part.kind) {
      case "manifest":
        this.#manifests++;
        return;
      case "blob":
        this.#bringing.push(this.#bring(part.descriptor));
        return;
      case "absent":
        return this.#absent(part.descriptor);
      case "lost":
      case "refused":
        return this.#fail(`${part.digest}: ${part.reason}`);
    }
  }

  /** An index may name what its registry never had. That is worth a word, and a failure where it was asked for. */
  #absent({ digest }: Descriptor): void {
    const message = `${this.#pull.place.upstream} does not have ${digest}, which an index of ${this.#image.name} names`;
    if (!this.#choice.isAll) this.#fail(message);
    else if (this.#warnings.length < reasonsMax) this.#warnings.push(message);
  }

  async #bring(descriptor: Descriptor): Promise<void> {
    const turn = await this.#gate.enter(this.#signal);
    if (turn === undefined) return this.#fail("stopped before everything was there");
    let running: Fill | undefined;
    const onFill = (fill: Fill): void => {
      running = fill;
      this.#fills.add(fill);
    };
    try {
      this.#note(descriptor, await bringBlob(this.#keeping, this.#pull, descriptor, { signal: this.#signal, onFill }));
    } catch (error) {
      this.#fail(asFailure(error, "STORAGE_FAILED", `${descriptor.digest} could not be kept`).message);
    } finally {
      if (running !== undefined) this.#fills.delete(running);
      turn.release();
    }
  }

  #note({ digest, sizeBytes, mediaType }: Descriptor, brought: Brought): void {
    switch (brought.kind) {
      case "fetched":
        this.#fetchedBytes += brought.receivedBytes;
        break;
      case "held":
        break;
      case "absent":
        // Layers that their licence keeps out of registries are had from elsewhere. OCI image spec, layer.md.
        if (/\.(foreign|nondistributable)\./.test(mediaType)) return;
        return this.#fail(`${this.#pull.place.upstream} says that it has no blob ${digest}`);
      case "failed":
        return this.#fail(brought.reason);
    }
    this.#blobs++;
    this.#sizeBytes += sizeBytes;
  }

  #fail(reason: string): void {
    if (this.#failures.length < reasonsMax && !this.#failures.includes(reason)) this.#failures.push(reason);
  }
}
