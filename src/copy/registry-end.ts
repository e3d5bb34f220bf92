import { type Descriptor, parseManifest } from "../manifest/manifest.ts";
import { referrersTag } from "../manifest/referrer-tags.ts";
import type { Digest } from "../reference/digest.ts";
import { parseTag, type Repository, type Tag } from "../reference/repository.ts";
import type { Answer, CallLimits, Page, Unavailable } from "../registry/remote.ts";
import type { WritableRegistry } from "../registry/writable.ts";
import type { ImageSource, ImageTarget } from "./ends.ts";

/** A page is asked to hold that many; a registry may give fewer. */
const firstQuery = "n=1000";
const pagesMax = 1000;

/** A repository of a registry as an end of copies. */
export function registryEnd(registry: WritableRegistry, repository: Repository): ImageSource & ImageTarget {
  const place = { registry: registry.host, repository };
  return {
    name: `${registry.host}/${repository}`,
    place,
    headManifest: (reference, limits) => registry.headManifest(repository, reference, limits),
    getManifest: (reference, limits) => registry.getManifest(repository, reference, limits),
    listTags: (limits) => allTags(registry, repository, limits),
    listReferrers: (digest, limits) => allReferrers({ registry, repository, digest }, limits),
    getBlob: (digest, range, limits) => registry.getBlob(repository, digest, range, limits),
    headBlob: (digest, limits) => registry.headBlob(repository, digest, limits),
    pushBlob: (blob, limits) => registry.pushBlob(repository, blob, limits),
    putManifest: (reference, manifest, limits) => registry.putManifest(repository, reference, manifest, limits),
    deleteManifest: (reference, limits) => registry.deleteManifest(repository, reference, limits),
    close: () => Promise.resolve(),
  };
}

/** Every tag, page by page; all of them or no knowledge. */
async function allTags(
  registry: WritableRegistry,
  repository: Repository,
  limits: CallLimits,
): Promise<Answer<{ readonly tags: readonly Tag[] }>> {
  const tags = new Set<Tag>();
  const pages = await eachPage(
    (query) => registry.listTags(repository, query, limits),
    ({ bytes }) => {
      const names = tagsOf(bytes);
      for (const name of names ?? []) tags.add(name);
      return names !== undefined;
    },
    `the tag list of ${registry.host}/${repository}`,
  );
  return pages.kind === "found" ? { kind: "found", tags: [...tags] } : pages;
}

interface Subject {
  readonly registry: WritableRegistry;
  readonly repository: Repository;
  readonly digest: Digest;
}

/** By the referrers API, else by the index that stands for it. OCI distribution spec v1.1, "Listing Referrers". */
async function allReferrers(
  { registry, repository, digest }: Subject,
  limits: CallLimits,
): Promise<Answer<{ readonly referrers: readonly Descriptor[] }>> {
  const referrers: Descriptor[] = [];
  const take = ({ bytes }: { readonly bytes: Uint8Array }): boolean => {
    const list = parseManifest(bytes);
    if (list.kind === "index") referrers.push(...list.manifests);
    return list.kind === "index";
  };
  const pages = await eachPage(
    (query) => registry.listReferrers(repository, digest, query, limits),
    take,
    `the referrers of ${digest} in ${registry.host}/${repository}`,
  );
  if (pages.kind === "found") return { kind: "found", referrers };
  if (pages.kind === "unavailable" && !isUnknownQuestion(pages)) return pages;
  const index = await registry.getManifest(repository, referrersTag(digest), limits);
  if (index.kind !== "found") return index;
  return take(index) ? { kind: "found", referrers } : { kind: "absent" };
}

/** What registries from before the referrers API answer to a path that they do not know. */
function isUnknownQuestion({ status }: Unavailable): boolean {
  return status === 400 || status === 405 || status === 406 || status === 501;
}

/** Asks for the pages of a list one after the other; all of them or no knowledge. `take` says whether a page is as it should be. */
export async function eachPage(
  ask: (query: string) => Promise<Answer<Page>>,
  take: (page: Page) => boolean,
  what: string,
): Promise<Answer<object>> {
  let query: string | undefined = firstQuery;
  for (let count = 0; count < pagesMax; count++) {
    const page: Answer<Page> = await ask(query);
    if (page.kind !== "found") return page;
    if (!take(page)) return refused(`${what} is not written as it should be`);
    if (page.nextQuery === undefined) return { kind: "found" };
    query = page.nextQuery;
  }
  return refused(`${what} has more than ${pagesMax} pages`);
}

function tagsOf(bytes: Uint8Array): readonly Tag[] | undefined {
  try {
    const list: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof list !== "object" || list === null || Array.isArray(list)) return undefined;
    const tags: unknown = "tags" in list ? list.tags : [];
    if (tags === null) return [];
    if (!Array.isArray(tags)) return undefined;
    const parsed = tags.map((tag: unknown) => (typeof tag === "string" ? parseTag(tag) : undefined));
    return parsed.some((tag) => tag === undefined) ? undefined : parsed.filter((tag) => tag !== undefined);
  } catch {
    return undefined;
  }
}

function refused(message: string): Unavailable {
  return { kind: "unavailable", reason: "refused", status: undefined, message, retryAfterMs: undefined };
}
