import { looksLikeHost, dockerHub, parseHost, type RegistryHost } from "../reference/host.ts";
import { canonicalRepository } from "../reference/reference.ts";
import { parseRepository, type Repository } from "../reference/repository.ts";
import { parseTemplate, type Template, variablesOf } from "./template.ts";

/** Where repositories of a source go: to one repository, or each to its own under a path. */
export interface TargetPattern {
  readonly host: RegistryHost;
  /** The repository, or what comes before each one's own path; "" for nothing before it. */
  readonly path: string;
  /** What of the source's repository is put behind `path`. The last segment alone only where that was asked for. */
  readonly rest: "last-segment" | "none" | "whole";
  /** What tags become; absent where they stay the same. */
  readonly tag: Template | undefined;
}

/** Why a text is no target, in words that complete a sentence about it. */
export interface TargetRefusal {
  readonly reason: string;
}

const REST = "/**";

/** Reads `HOST/REPOSITORY`, or `HOST/PATH/**` where `**` is the source's repository; behind a colon, what its tags become: `:{tag}-mirror`. */
export function parseTarget(text: string, rest: "last-segment" | "whole"): TargetPattern | TargetRefusal {
  if (text.includes("@")) return { reason: "must have no digest: what is copied keeps its own" };
  const colon = text.lastIndexOf(":");
  const hasTag = colon > text.lastIndexOf("/") && text.includes("/");
  const name = hasTag ? text.slice(0, colon) : text;
  const tag = hasTag ? parseTag(text.slice(colon + 1)) : undefined;
  if (tag !== undefined && "reason" in tag) return tag;
  const hasRest = name.endsWith(REST);
  const place = hasRest ? name.slice(0, -REST.length) : name;
  const slash = place.indexOf("/");
  const first = slash < 0 ? place : place.slice(0, slash);
  const host = looksLikeHost(first) ? parseHost(first) : dockerHub;
  if (host === undefined) return { reason: `"${first}" in it is not a registry's host` };
  const path = looksLikeHost(first) ? place.slice(first.length + 1) : place;
  if (path === "" && !hasRest) return { reason: `names no repository; say ${host}/** to keep those of the source` };
  if (path !== "" && parseRepository(path) === undefined) return { reason: `"${path}" in it is not a repository name` };
  return { host, path, rest: hasRest ? rest : "none", tag };
}

function parseTag(text: string): Template | TargetRefusal {
  if (text === "") return { reason: "has no tag behind its colon" };
  const template = parseTemplate(text);
  if ("reason" in template) return template;
  const others = [...variablesOf(template)].filter((name) => name !== "tag");
  return others.length > 0 ? { reason: "may have no variable but {tag} in its tag" } : template;
}

/** The repository that one of the source becomes. */
export function mapRepository(target: TargetPattern, source: Repository): Repository | TargetRefusal {
  const segments = source.split("/");
  const own = target.rest === "last-segment" ? (segments.at(-1) ?? source) : source;
  const parts = [target.path, target.rest === "none" ? "" : own].filter((part) => part !== "");
  const joined = parts.join("/");
  const repository = parseRepository(joined);
  if (repository === undefined) return { reason: `"${joined}" is not a repository name` };
  return canonicalRepository(target.host, repository);
}
