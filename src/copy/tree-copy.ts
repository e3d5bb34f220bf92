import type { Descriptor } from "../manifest/manifest.ts";
import type { Digest } from "../reference/digest.ts";
import type { Tag } from "../reference/repository.ts";
import type { Answer, ManifestBody } from "../registry/remote.ts";
import type { PushedManifest } from "../registry/writable.ts";
import type { Asking } from "./asking.ts";
import type { ImageSource, ImageTarget } from "./ends.ts";
import { type CopyFailure, failureOf } from "./failure.ts";
import type { ImageCounter } from "./progress.ts";
import type { FigureCount } from "./row.ts";
import type { Transfers } from "./transfers.ts";
import type { ImageTree, TreeNode } from "./tree.ts";

/** What the trees of one image are copied with. */
export interface TreeCopyParts {
  readonly asking: Asking;
  readonly transfers: Transfers;
  readonly source: ImageSource;
  readonly target: ImageTarget;
  readonly trust: "nothing" | "parts";
  readonly counter: ImageCounter;
  readonly figures: FigureCount;
}

/** What became of a manifest: it is at the target and, when it was put now, what the target said; or it is not. */
export type Put =
  | { readonly kind: "there" }
  | { readonly kind: "put"; readonly pushed: PushedManifest }
  | { readonly kind: "failed" };

const failuresMax = 5;

/** Brings the trees of one image to its target: a manifest is put only once everything it names is there. */
export class TreeCopy {
  readonly #parts: TreeCopyParts;
  readonly #putting = new Map<Digest, Promise<Put>>();
  readonly #blobs = new Map<Digest, Promise<boolean>>();
  readonly #there = new Map<Digest, Promise<boolean>>();
  readonly #failures: CopyFailure[] = [];

  constructor(parts: TreeCopyParts) {
    this.#parts = parts;
  }

  /** The first few, in the order they came. */
  get failures(): readonly CopyFailure[] {
    return this.#failures;
  }

  /** Puts a manifest of a tree by its digest, after all that it names; each once. */
  put(tree: ImageTree, digest: Digest): Promise<Put> {
    const putting = this.#putting.get(digest) ?? this.#put(tree, digest);
    this.#putting.set(digest, putting);
    return putting;
  }

  /** Puts all that the root of a tree names, but not the root itself. True when it is there. */
  async below(tree: ImageTree): Promise<boolean> {
    const root = tree.nodes.get(tree.root);
    if (root === undefined) return false;
    return (await this.#isThere(tree.root)) || (await this.#below(tree, root));
  }

  /** Puts a manifest whose parts are there under a name. */
  async name(body: ManifestBody, reference: Tag | Digest): Promise<Put> {
    const { target, asking, figures } = this.#parts;
    const answer: Answer<PushedManifest> = await asking.ask(target, (limits) =>
      target.putManifest(reference, body, limits),
    );
    switch (answer.kind) {
      case "found":
        figures.manifests.put++;
        return { kind: "put", pushed: { subject: answer.subject } };
      case "absent":
        return this.#fail({
          kind: "failed",
          side: "target",
          message: `${target.name} does not take ${body.digest}: it says that there is no such repository`,
        });
      case "unavailable":
        return this.#fail(failureOf(answer, "target"));
    }
  }

  async #put(tree: ImageTree, digest: Digest): Promise<Put> {
    const node = tree.nodes.get(digest);
    if (node === undefined) return { kind: "failed" };
    if (await this.#isThere(digest)) {
      this.#parts.figures.manifests.there++;
      return { kind: "there" };
    }
    return (await this.#below(tree, node)) ? await this.name(node.body, digest) : { kind: "failed" };
  }

  /** A target that gives no word is treated as one that has nothing: what is wrong with it shows when something is put. */
  #isThere(digest: Digest): Promise<boolean> {
    if (this.#parts.trust === "nothing") return Promise.resolve(false);
    const asked = this.#there.get(digest) ?? this.#ask(digest);
    this.#there.set(digest, asked);
    return asked;
  }

  async #ask(digest: Digest): Promise<boolean> {
    const { target, asking } = this.#parts;
    const head = await asking.ask(target, (limits) => target.headManifest(digest, limits));
    return head.kind === "found";
  }

  async #below(tree: ImageTree, node: TreeNode): Promise<boolean> {
    const blobs = largestFirst(node.blobs).map((blob) => this.#bring(blob));
    const puts = node.manifests.map(async (digest) => (await this.put(tree, digest)).kind !== "failed");
    return (await Promise.all([...puts, ...blobs])).every(Boolean);
  }

  #bring(blob: Descriptor): Promise<boolean> {
    const bringing = this.#blobs.get(blob.digest) ?? this.#transfer(blob);
    this.#blobs.set(blob.digest, bringing);
    return bringing;
  }

  async #transfer(blob: Descriptor): Promise<boolean> {
    const { source, target, transfers, counter, figures } = this.#parts;
    counter.expect(blob.sizeBytes);
    figures.sizeBytes += blob.sizeBytes;
    const moved = await transfers.bring({ source, target, blob, onSent: (sizeBytes) => counter.sent(sizeBytes) });
    switch (moved.kind) {
      case "failed":
        this.#fail(moved.failure);
        return false;
      case "sent":
        figures.sentBytes += moved.sizeBytes;
        break;
      case "mounted":
      case "there":
        counter.spared(blob.sizeBytes);
        break;
    }
    figures.blobs[moved.kind]++;
    return true;
  }

  /** Of a stop one word is enough. */
  #fail(failure: CopyFailure): { readonly kind: "failed" } {
    const isToldAlready = failure.kind === "cancelled" && this.#failures.some(({ kind }) => kind === "cancelled");
    if (this.#failures.length < failuresMax && !isToldAlready) this.#failures.push(failure);
    return { kind: "failed" };
  }
}

/** So that no large one is left to be sent alone at the end. */
function largestFirst(blobs: readonly Descriptor[]): readonly Descriptor[] {
  return blobs.toSorted((a, b) => b.sizeBytes - a.sizeBytes);
}
