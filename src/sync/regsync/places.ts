import type { Path } from "../../config/problem.ts";
import { parseHost } from "../../reference/host.ts";
import { parseReference, type Reference } from "../../reference/reference.ts";
import { namesImage } from "../entry.ts";
import { compileAnchored, type Pattern } from "../pattern.ts";
import type { SyncEntry } from "../plan-input.ts";
import type { VersionRange } from "../range.ts";
import type { Reading } from "../reading.ts";
import { everyTag, type TagChoice, type TagFilter } from "../tags.ts";
import { parseTarget } from "../target.ts";
import { entryFields, expandNow } from "./expand.ts";
import type { RegsyncEntry, RegsyncTags } from "./file.ts";
import { parseRegsyncRange } from "./range.ts";

type Places = Pick<SyncEntry, "images" | "source" | "target">;

/** What is copied from where to where; `undefined` when that cannot be said, which is then among the findings. */
export function placesOf(reading: Reading, written: RegsyncEntry, path: Path): Places | undefined {
  const source = expandNow(reading, written.source, [...path, "source"], entryFields(written));
  if (source === undefined) return undefined;
  const target = expandNow(reading, written.target, [...path, "target"], entryFields({ ...written, source }));
  if (target === undefined) return undefined;
  const named: Named = { reading, written, path, source, target };
  if (hasScheme(named, "source") || hasScheme(named, "target")) return undefined;
  switch (written.type) {
    case "image":
      return imagePlaces(named);
    case "repository":
      return repositoryPlaces(named);
    case "registry":
      return registryPlaces(named);
  }
}

interface Named {
  readonly reading: Reading;
  readonly written: RegsyncEntry;
  readonly path: Path;
  readonly source: string;
  readonly target: string;
}

/** `ocidir://` and its like. */
function hasScheme({ reading, path, ...texts }: Named, key: "source" | "target"): boolean {
  if (!texts[key].includes("://")) return false;
  reading.findings.problem([...path, key], "is a folder or a file; here images go from registry to registry");
  return true;
}

function imagePlaces(named: Named): Places | undefined {
  const source = referenceOf(named, "source");
  const target = referenceOf(named, "target");
  if (source === undefined || target === undefined) return undefined;
  if (target.digest !== undefined) return refuse(named, "target", "must have no digest: what is copied keeps its own");
  const { host, repository, tag, digest } = source;
  return {
    source: { kind: "repository", host, repository },
    images: { kind: "one", tag, digest },
    target: {
      host: target.host,
      path: target.repository,
      rest: "none",
      tag: target.tag === undefined ? undefined : [{ kind: "text", text: target.tag }],
    },
  };
}

function repositoryPlaces(named: Named): Places | undefined {
  const source = repositoryOf(named, "source");
  const target = repositoryOf(named, "target");
  if (source === undefined || target === undefined) return undefined;
  return {
    source: { kind: "repository", host: source.host, repository: source.repository },
    images: imagesOf(named.written),
    target: { host: target.host, path: target.repository, rest: "none", tag: undefined },
  };
}

/** A tag has no place where tags are chosen; one that is there all the same is passed over. */
function repositoryOf(named: Named, key: "source" | "target"): Reference | undefined {
  const reference = referenceOf(named, key);
  if (reference?.digest !== undefined) return refuse(named, key, "must have no digest with type repository");
  if (reference !== undefined && namesImage(named[key])) {
    named.reading.findings.warning(
      [...named.path, key],
      "has a tag, which is not used with type repository: tags says which",
    );
  }
  return reference;
}

function registryPlaces(named: Named): Places | undefined {
  const host = parseHost(named.source);
  if (host === undefined) return refuse(named, "source", "is no registry's host");
  const target = parseTarget(`${named.target}/**`, "whole");
  if ("reason" in target) return refuse(named, "target", target.reason);
  const { repos } = named.written;
  const repositories = { list: [], match: patterns(repos?.allow), skip: patterns(repos?.deny) };
  return { source: { kind: "registry", host, repositories }, images: imagesOf(named.written), target };
}

function referenceOf(named: Named, key: "source" | "target"): Reference | undefined {
  const reference = parseReference(named[key]);
  return "kind" in reference ? refuse(named, key, `is no image: ${reference.reason}`) : reference;
}

function refuse({ reading, path }: Named, key: "source" | "target", message: string): undefined {
  reading.findings.problem([...path, key], message);
  return undefined;
}

/** Every set on its own, and what any of them lets through; without one, every tag. */
function imagesOf({ tags, tagSets }: RegsyncEntry): { readonly kind: "tags"; readonly choice: TagChoice } {
  const filters = [...(tagSets ?? []), ...(tags === undefined || tags === null ? [] : [tags])].map(filterOf);
  const some = filters.filter(({ skip, match, ranges }) => skip.length + match.length + ranges.length > 0);
  const isUnfiltered = some.length === 0 || (tagSets ?? []).some((set) => isEmpty(filterOf(set)));
  return { kind: "tags", choice: { list: [], filters: isUnfiltered ? [everyTag] : some } };
}

function isEmpty({ skip, match, ranges }: TagFilter): boolean {
  return skip.length + match.length + ranges.length === 0;
}

function filterOf({ allow, deny, semverRange }: RegsyncTags): TagFilter {
  const ranges = (semverRange ?? []).filter((text) => text !== "").map(parseRegsyncRange);
  return {
    ...everyTag,
    match: patterns(allow),
    skip: patterns(deny),
    ranges: ranges.filter((range): range is VersionRange => !("reason" in range)),
  };
}

function patterns(texts: readonly string[] | null | undefined): readonly Pattern[] {
  const compiled = (texts ?? []).map(compileAnchored);
  return compiled.filter((pattern): pattern is Pattern => !("reason" in pattern));
}
