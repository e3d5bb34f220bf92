import { childrenOf, parseManifest } from "../../manifest/manifest.ts";
import { mediaTypes } from "../../manifest/media-types.ts";
import { type Digest, parseDigest } from "../../reference/digest.ts";
import { parseHost } from "../../reference/host.ts";
import { parseRepository, parseTag, type Repository, type Tag } from "../../reference/repository.ts";
import type {
  Answer,
  BlobStream,
  ByteRange,
  CallLimits,
  ManifestBody,
  Page,
  Unavailable,
} from "../../registry/remote.ts";
import type { BlobToPush, PushedBlob, PushedManifest, WritableRegistry } from "../../registry/writable.ts";
import type { ImageSource, ImageTarget } from "../ends.ts";
import { registryEnd } from "../registry-end.ts";
import { digestOf, type TestBlob, type TestManifest } from "./images.ts";

/** What a fake registry is different in. */
export interface FakeOptions {
  /** Whether it has the referrers API; else it answers 404 to it and keeps no list. */
  readonly hasReferrers?: boolean;
  /** Called before each answer; what it gives is answered in its place. */
  readonly before?: (request: string) => Promise<Unavailable | undefined> | Unavailable | undefined;
}

interface Held {
  readonly manifests: Map<Digest, ManifestBody>;
  readonly tags: Map<Tag, Digest>;
  readonly blobs: Map<Digest, Uint8Array<ArrayBuffer>>;
}

/**
 * A registry in memory that records what it is asked. Like a strict real one it takes no manifest whose parts it lacks, and no
 * blob whose bytes are others.
 */
export class FakeRegistry {
  readonly requests: string[] = [];
  readonly #host: string;
  readonly #options: FakeOptions;
  readonly #held = new Map<string, Held>();

  constructor(host: string, options: FakeOptions = {}) {
    this.#host = host;
    this.#options = options;
  }

  /** A repository of it as an end of copies. */
  end(name: string): ImageSource & ImageTarget {
    const host = parseHost(this.#host);
    const repository = parseRepository(name);
    if (host === undefined || repository === undefined) throw new Error(`${this.#host}/${name} is no repository`);
    return registryEnd({ host, ...this.#operations() }, repository);
  }

  /** Puts things there without being asked. */
  hold(
    name: string,
    things: readonly (TestBlob | TestManifest)[],
    tags: Readonly<Record<string, TestManifest>> = {},
  ): void {
    const held = this.#of(name);
    for (const thing of [...things, ...Object.values(tags)]) {
      if ("body" in thing) held.manifests.set(thing.body.digest, thing.body);
      else held.blobs.set(thing.named.digest, thing.bytes);
    }
    for (const [tag, { body }] of Object.entries(tags)) held.tags.set(tagNamed(tag), body.digest);
  }

  /** Takes something away. */
  drop(name: string, digest: Digest): void {
    this.#of(name).blobs.delete(digest);
    this.#of(name).manifests.delete(digest);
  }

  /** What a tag stands for. */
  tag(name: string, tag: string): ManifestBody | undefined {
    const { tags, manifests } = this.#of(name);
    const digest = tags.get(tagNamed(tag));
    return digest && manifests.get(digest);
  }

  /** Digests of all that a repository has. */
  digests(name: string): readonly string[] {
    const { manifests, blobs } = this.#of(name);
    return [...manifests.keys(), ...blobs.keys()].map(String).toSorted();
  }

  /** How many of the requests begin so. */
  count(prefix: string): number {
    return this.requests.filter((request) => request.startsWith(prefix)).length;
  }

  #operations(): Omit<WritableRegistry, "host"> {
    return {
      headManifest: (repository, reference) =>
        this.#answer(`HEAD ${repository} ${reference}`, () => {
          const body = this.#manifest(repository, reference);
          return body && { digest: body.digest, mediaType: body.mediaType, sizeBytes: body.bytes.byteLength };
        }),
      getManifest: (repository, reference) =>
        this.#answer(`GET ${repository} ${reference}`, () => this.#manifest(repository, reference)),
      headBlob: (repository, digest) =>
        this.#answer(`HEAD-BLOB ${repository} ${digest}`, () => {
          const bytes = this.#of(repository).blobs.get(digest);
          return bytes && { sizeBytes: bytes.byteLength };
        }),
      getBlob: (repository, digest, range) =>
        this.#answer(`GET-BLOB ${repository} ${digest}`, () => this.#stream(repository, digest, range)),
      listTags: (repository) =>
        this.#answer(`TAGS ${repository}`, () => {
          if (!this.#held.has(repository)) return undefined;
          return page({ name: repository, tags: [...this.#of(repository).tags.keys()] });
        }),
      listReferrers: (repository, digest) =>
        this.#answer(`REFERRERS ${repository} ${digest}`, () => this.#referrers(repository, digest)),
      pushBlob: (repository, blob, limits) => this.#push(repository, blob, limits),
      putManifest: (repository, reference, body) =>
        this.#answer<PushedManifest>(`PUT ${repository} ${reference}`, () => this.#put(repository, reference, body)),
      deleteManifest: (repository, reference) =>
        this.#answer(`DELETE ${repository} ${reference}`, () =>
          this.#of(repository).tags.delete(reference as Tag) ? {} : undefined,
        ),
      listRepositories: () => this.#answer("CATALOG", () => page({ repositories: [...this.#held.keys()] })),
    };
  }

  async #answer<T extends object>(request: string, find: () => T | Unavailable | undefined): Promise<Answer<T>> {
    this.requests.push(request);
    const instead = await this.#options.before?.(request);
    if (instead !== undefined) return instead;
    const found = find();
    if (found === undefined) return { kind: "absent" };
    return "kind" in found ? found : { kind: "found", ...found };
  }

  #of(name: string): Held {
    const held = this.#held.get(name) ?? { manifests: new Map(), tags: new Map(), blobs: new Map() };
    this.#held.set(name, held);
    return held;
  }

  #manifest(name: string, reference: Tag | Digest): ManifestBody | undefined {
    const { tags, manifests } = this.#of(name);
    const digest = parseDigest(reference) ?? tags.get(reference as Tag);
    return digest && manifests.get(digest);
  }

  #stream(name: string, digest: Digest, { startByte }: ByteRange): Omit<BlobStream, "kind"> | undefined {
    const bytes = this.#of(name).blobs.get(digest);
    if (bytes === undefined) return undefined;
    const body = new Blob([bytes.slice(startByte)]).stream();
    return { body, startByte, sizeBytes: bytes.byteLength };
  }

  #referrers(name: string, subject: Digest): Page | undefined {
    if (this.#options.hasReferrers !== true) return undefined;
    const manifests = [...this.#of(name).manifests.values()].flatMap(({ bytes, digest, mediaType }) => {
      const document = parseManifest(bytes);
      const refers = document.kind !== "refused" && document.subject?.digest === subject;
      return refers ? [{ mediaType, digest, size: bytes.byteLength }] : [];
    });
    return page({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests });
  }

  async #push(repository: Repository, blob: BlobToPush, limits: CallLimits): Promise<PushedBlob> {
    const asked = await this.#answer(`PUSH ${repository} ${blob.digest}`, () => ({}));
    if (asked.kind === "unavailable") return asked;
    const mounted = blob.mountFrom.map((from) => this.#of(from).blobs.get(blob.digest)).find(Boolean);
    if (mounted !== undefined) {
      this.#of(repository).blobs.set(blob.digest, mounted);
      return { kind: "mounted" };
    }
    const opened = await blob.open(0);
    if (opened.kind !== "found") return opened;
    const bytes = new Uint8Array(await new Response(opened.body).arrayBuffer());
    if (limits.signal.aborted) return down("cancelled");
    if (digestOf(bytes) !== blob.digest) return down("wrong-bytes");
    blob.onSent?.(bytes.byteLength);
    this.#of(repository).blobs.set(blob.digest, bytes);
    return { kind: "pushed", sentBytes: bytes.byteLength };
  }

  #put(name: string, reference: Tag | Digest, body: ManifestBody): PushedManifest | Unavailable {
    const held = this.#of(name);
    const document = parseManifest(body.bytes);
    if (document.kind === "refused" || digestOf(body.bytes) !== body.digest) return down("failed", 400);
    const lacking = childrenOf(document).filter(({ digest }) => !held.manifests.has(digest) && !held.blobs.has(digest));
    if (lacking.some(({ mediaType }) => !mediaType.includes("foreign"))) return down("failed", 404);
    held.manifests.set(body.digest, { bytes: body.bytes, digest: body.digest, mediaType: body.mediaType });
    if (parseDigest(reference) === undefined) held.tags.set(reference as Tag, body.digest);
    return { subject: this.#options.hasReferrers === true ? document.subject?.digest : undefined };
  }
}

/** An answer that gives no information. */
export function down(reason: Unavailable["reason"], status?: number, retryAfterMs?: number): Unavailable {
  return { kind: "unavailable", reason, status, message: `it is down (${reason} ${status ?? ""})`, retryAfterMs };
}

function tagNamed(text: string): Tag {
  const tag = parseTag(text);
  if (tag === undefined) throw new Error(`${text} is no tag`);
  return tag;
}

function page(document: object): Page {
  const bytes = new TextEncoder().encode(JSON.stringify(document));
  return { bytes, mediaType: "application/json", nextQuery: undefined, filtersApplied: undefined };
}
