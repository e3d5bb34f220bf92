import { parseTag, type Repository, type Tag } from "../reference/repository.ts";
import type { Answer, CallLimits } from "../registry/remote.ts";
import type { WritableRegistry } from "../registry/writable.ts";
import type { ImageSource, ImageTarget } from "./ends.ts";
import { eachPage } from "./pages.ts";
import { RegistryReferrers } from "./registry-referrers.ts";

/** A repository of a registry as an end of copies. */
export function registryEnd(registry: WritableRegistry, repository: Repository): ImageSource & ImageTarget {
  const place = { registry: registry.host, repository };
  const referrers = new RegistryReferrers(registry, repository);
  return {
    name: `${registry.host}/${repository}`,
    place,
    headManifest: (reference, limits) => registry.headManifest(repository, reference, limits),
    getManifest: (reference, limits) => registry.getManifest(repository, reference, limits),
    listTags: (limits) => allTags(registry, repository, limits),
    listReferrers: (digest, limits, tags) => referrers.of(digest, limits, tags),
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
