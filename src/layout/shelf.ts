import { asFailure } from "../errors/failure.ts";
import { childrenOf, type Descriptor, manifestMaxBytes } from "../manifest/manifest.ts";
import type { Digest } from "../reference/digest.ts";
import { type Content, readDocument } from "./content.ts";
import type { IndexEntry } from "./index-json.ts";
import { mayBeIndex, type ReadManifest, readManifest } from "./manifest-facts.ts";

/** What a shelf is made of. */
export interface ShelfParts {
  /** What messages call it: `oci:DIR`. */
  readonly name: string;
  readonly entries: readonly IndexEntry[];
  readonly content: Content;
}

const manifestsMax = 200_000;

/**
 * The images of a layout as they are known in memory: the rows of its index, and every manifest that these reach through
 * indexes. Content that no row reaches is no image of it, though it may lie there.
 */
export class Shelf {
  readonly name: string;
  readonly content: Content;
  entries: readonly IndexEntry[];
  readonly #manifests = new Map<Digest, Descriptor>();
  #referrers: Promise<ReadonlyMap<Digest, readonly Descriptor[]>> | undefined;

  constructor({ name, entries, content }: ShelfParts) {
    this.name = name;
    this.entries = entries;
    this.content = content;
  }

  /** Walks the indexes. An index that cannot be read is known, and reaches nothing. */
  async walk(signal: AbortSignal): Promise<void> {
    const waiting = this.entries.map(({ descriptor }) => descriptor);
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (this.#manifests.has(next.digest) || this.#manifests.size === manifestsMax) continue;
      this.#manifests.set(next.digest, next);
      if (!mayBeIndex(next.mediaType)) continue;
      signal.throwIfAborted();
      const read = await this.#readIfRight(next);
      if (read?.document.kind === "index") waiting.push(...read.document.manifests);
    }
  }

  /** How a manifest is named, when a row reaches it. */
  manifest(digest: Digest): Descriptor | undefined {
    return this.#manifests.get(digest);
  }

  /** Takes in a manifest that was put. */
  add({ descriptor }: ReadManifest): void {
    this.#manifests.set(descriptor.digest, descriptor);
    this.#referrers = undefined;
  }

  /** Takes a manifest out that was deleted. */
  remove(digest: Digest): void {
    this.#manifests.delete(digest);
    this.#referrers = undefined;
  }

  /** A manifest's document; `undefined` when it is not there or not to be read. Throws a `Failure` for wrong bytes. */
  async read({ digest, mediaType }: Descriptor): Promise<ReadManifest | undefined> {
    const bytes = await readDocument(this.content, digest, manifestMaxBytes);
    if (bytes === undefined) return undefined;
    const read = readManifest(bytes, digest, mediaType);
    return read.kind === "read" ? read : undefined;
  }

  /** Manifests whose subject is this one, and what an index under the tag of its digest lists. */
  async referrersOf(digest: Digest, signal: AbortSignal): Promise<readonly Descriptor[]> {
    this.#referrers ??= this.#readSubjects(signal);
    const bySubject = await this.#referrers.catch((error: unknown) => {
      this.#referrers = undefined;
      throw asFailure(error, "STORAGE_FAILED", `cannot read ${this.name}`);
    });
    const found = new Map((bySubject.get(digest) ?? []).map((referrer) => [referrer.digest, referrer] as const));
    for (const listed of await this.#listedReferrers(digest)) {
      if (!found.has(listed.digest)) found.set(listed.digest, listed);
    }
    return [...found.values()];
  }

  async #readSubjects(signal: AbortSignal): Promise<ReadonlyMap<Digest, readonly Descriptor[]>> {
    const bySubject = new Map<Digest, readonly Descriptor[]>();
    for (const descriptor of this.#manifests.values()) {
      signal.throwIfAborted();
      const read = await this.#readIfRight(descriptor);
      const subject = read?.document.subject?.digest;
      if (read === undefined || subject === undefined) continue;
      bySubject.set(subject, [...(bySubject.get(subject) ?? []), read.descriptor]);
    }
    return bySubject;
  }

  /** OCI distribution spec, "Referrers Tag Schema". */
  async #listedReferrers(digest: Digest): Promise<readonly Descriptor[]> {
    const tag = digest.replace(":", "-");
    const entry = this.entries.find(({ refName }) => refName === tag || refName?.endsWith(`:${tag}`) === true);
    if (entry === undefined) return [];
    const read = await this.#readIfRight(entry.descriptor);
    return read?.document.kind === "index" ? childrenOf(read.document) : [];
  }

  async #readIfRight(descriptor: Descriptor): Promise<ReadManifest | undefined> {
    try {
      return await this.read(descriptor);
    } catch {
      // What is wrong with it is said when somebody asks for it.
      return undefined;
    }
  }
}
