import { type Descriptor, parseManifest } from "../manifest/manifest.ts";
import { referrersTag } from "../manifest/referrer-tags.ts";
import type { Digest } from "../reference/digest.ts";
import type { Repository, Tag } from "../reference/repository.ts";
import type { Answer, CallLimits, Page, Unavailable } from "../registry/remote.ts";
import type { WritableRegistry } from "../registry/writable.ts";
import { eachPage } from "./pages.ts";

/** What refers to manifests. */
type Referrers = Answer<{ readonly referrers: readonly Descriptor[] }>;

/**
 * The referrers in a repository: by the API, else by the index that stands for it. A registry that has the API never answers it with 404,
 * so one that did is not asked by it again. OCI distribution spec v1.1, "Listing Referrers".
 */
export class RegistryReferrers {
  readonly #registry: WritableRegistry;
  readonly #repository: Repository;
  #hasApi = true;

  constructor(registry: WritableRegistry, repository: Repository) {
    this.#registry = registry;
    this.#repository = repository;
  }

  /** All of a manifest. Where the tags are known, an index whose tag is not among them is not asked for. */
  async of(digest: Digest, limits: CallLimits, tags?: ReadonlySet<Tag>): Promise<Referrers> {
    const listed = this.#hasApi ? await this.#byApi(digest, limits) : undefined;
    if (listed !== undefined) return listed;
    const tag = referrersTag(digest);
    if (tags?.has(tag) === false) return { kind: "absent" };
    const index = await this.#registry.getManifest(this.#repository, tag, limits);
    if (index.kind !== "found") return index;
    const referrers = entriesOf(index.bytes);
    return referrers === undefined ? { kind: "absent" } : { kind: "found", referrers };
  }

  /** Undefined where there is no API. */
  async #byApi(digest: Digest, limits: CallLimits): Promise<Referrers | undefined> {
    const referrers: Descriptor[] = [];
    const take = ({ bytes }: Page): boolean => {
      const entries = entriesOf(bytes);
      referrers.push(...(entries ?? []));
      return entries !== undefined;
    };
    const pages = await eachPage(
      (query) => this.#registry.listReferrers(this.#repository, digest, query, limits),
      take,
      `the referrers of ${digest} in ${this.#registry.host}/${this.#repository}`,
    );
    if (pages.kind === "found") return { kind: "found", referrers };
    if (pages.kind === "unavailable" && !isUnknownQuestion(pages)) return pages;
    this.#hasApi = false;
    return undefined;
  }
}

/** Undefined for what is no index. */
function entriesOf(bytes: Uint8Array): readonly Descriptor[] | undefined {
  const list = parseManifest(bytes);
  return list.kind === "index" ? list.manifests : undefined;
}

/** What registries from before the referrers API answer to a path that they do not know. */
function isUnknownQuestion({ status }: Unavailable): boolean {
  return status === 400 || status === 405 || status === 406 || status === 501;
}
