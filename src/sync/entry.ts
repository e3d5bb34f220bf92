import { parsePlatform } from "../reference/platform.ts";
import { looksLikeHost, parseHost, type RegistryHost } from "../reference/host.ts";
import { canonicalRepository, parseReference } from "../reference/reference.ts";
import { parseRepository, parseTag, type Tag } from "../reference/repository.ts";
import type { Path } from "../config/problem.ts";
import type { DefaultsEntry, EntryText, RepositoriesEntry, TagsEntry } from "./file.ts";
import type { ImageChoice, PlatformChoice, SyncEntry, SyncSource } from "./plan-input.ts";
import { compileExpression, compileGlob, type Pattern } from "./pattern.ts";
import { parseRange } from "./range.ts";
import type { Reading } from "./reading.ts";
import type { RepositoryChoice } from "./repositories.ts";
import { parseSchedule, type Schedule } from "./schedule.ts";
import { everyTag, type TagChoice } from "./tags.ts";
import { parseTarget } from "./target.ts";
import { parseTemplate } from "./template.ts";

/** Everything of an entry but its source. */
type Rest = Omit<SyncEntry, "images" | "source">;

/** What an entry of ours says, `defaults` filled in; `undefined` when it says something that cannot be, which is then among the findings. */
export function entryOf(
  reading: Pick<Reading, "findings" | "placeOf">,
  text: EntryText,
  at: Path,
  defaults: DefaultsEntry & { readonly schedule?: string | undefined },
): SyncEntry | undefined {
  const filled: EntryText = { ...defaults, ...withoutDefaultPlatforms(text, defaults), ...defined(text) };
  const problem: Say = (key, message) => {
    reading.findings.problem([...at, key], message);
    return undefined;
  };
  const from = sourceOf(filled, problem);
  const target = parseTarget(filled.to, filled.flatten === true ? "last-segment" : "whole");
  if ("reason" in target) problem("to", target.reason);
  if (from === undefined || "reason" in target) return undefined;
  const rest: Rest = {
    at: reading.placeOf(at),
    target,
    platforms: platformsOf(filled),
    referrers: filled.referrers ?? false,
    digestTags: filled.referrers ?? false,
    backup: templateOf(filled.backup),
    delete: filled.delete ?? false,
    schedule: scheduleOf(filled.schedule),
  };
  return { ...rest, ...from };
}

/** `platform` of an entry stands above `platforms` of the defaults, and the other way round. */
function withoutDefaultPlatforms(text: EntryText, defaults: DefaultsEntry): DefaultsEntry {
  if (text.platforms === undefined && text.platform === undefined) return defaults;
  return { ...defaults, platforms: undefined, platform: undefined };
}

function defined(text: EntryText): EntryText {
  const entries = Object.entries(text).filter(([, value]) => value !== undefined);
  return { from: text.from, to: text.to, ...Object.fromEntries(entries) };
}

type Say = (key: string, message: string) => undefined;

function sourceOf(text: EntryText, problem: Say): Pick<SyncEntry, "images" | "source"> | undefined {
  const registry = registryHostOf(text.from);
  if (registry !== undefined) {
    const images: ImageChoice = { kind: "tags", choice: tagChoice(text.tags) };
    const repositories = repositoryChoice(registry, text.repositories);
    return { source: { kind: "registry", host: registry, repositories }, images };
  }
  if (text.repositories !== undefined) {
    return problem("repositories", "is for a registry; from names one repository already");
  }
  const reference = parseReference(text.from);
  if ("kind" in reference) return problem("from", `is no image, repository or registry's host: ${reference.reason}`);
  const { host, repository, tag, digest } = reference;
  const source: SyncSource = { kind: "repository", host, repository };
  if (!namesImage(text.from)) return { source, images: { kind: "tags", choice: tagChoice(text.tags) } };
  if (text.tags !== undefined) return problem("tags", "is for a whole repository; from names one image already");
  return { source, images: { kind: "one", tag, digest } };
}

/** A registry: `HOST/`, or a host with a dot or localhost and nothing behind it. `nginx:8080` is an image. */
function registryHostOf(from: string): RegistryHost | undefined {
  if (from.endsWith("/")) return parseHost(from.slice(0, -1));
  return from.includes("/") || !looksLikeHost(from.replace(/:[0-9]{1,5}$/, "")) ? undefined : parseHost(from);
}

/** True where a tag or a digest is written, which a parsed reference does not tell from `latest`. */
export function namesImage(text: string): boolean {
  return text.includes("@") || text.lastIndexOf(":") > text.lastIndexOf("/");
}

/** The choice of tags that the keys of ours make; all tags without any. */
export function tagChoice(tags: TagsEntry = {}): TagChoice {
  const list = (tags.list ?? []).map((text) => parseTag(text)).filter((tag): tag is Tag => tag !== undefined);
  const { skip, match, semver, newest } = tags;
  const isListOnly = tags.list !== undefined && [skip, match, semver, newest].every((key) => key === undefined);
  if (isListOnly) return { list, filters: [] };
  const range = semver === undefined ? undefined : parseRange(semver);
  const filter = {
    ...everyTag,
    skip: patterns(skip, compileGlob),
    match: patterns(match, compileExpression),
    ranges: range === undefined || "reason" in range ? [] : [range],
    newest,
  };
  return { list, filters: [filter] };
}

function repositoryChoice(host: RegistryHost, text: RepositoriesEntry = {}): RepositoryChoice {
  const named = (text.list ?? []).map((name) => parseRepository(name)).filter((name) => name !== undefined);
  const list = named.map((name) => canonicalRepository(host, name));
  const isListOnly = text.list !== undefined && text.match === undefined && text.skip === undefined;
  return {
    list,
    match: isListOnly ? undefined : patterns(text.match, compileExpression),
    skip: patterns(text.skip, compileGlob),
  };
}

function patterns(
  texts: string | readonly string[] | undefined,
  compile: (text: string) => Pattern | { readonly reason: string },
): readonly Pattern[] {
  const list = typeof texts === "string" ? [texts] : (texts ?? []);
  return list.map((text) => compile(text)).filter((pattern): pattern is Pattern => !("reason" in pattern));
}

function platformsOf({ platform, platforms }: DefaultsEntry): PlatformChoice {
  const single = platform === undefined ? undefined : parsePlatform(platform);
  if (single !== undefined) return { kind: "single", platform: single };
  const several = (platforms ?? []).map((text) => parsePlatform(text)).filter((found) => found !== undefined);
  return several.length === 0 ? { kind: "all" } : { kind: "index-of", platforms: several };
}

function templateOf(text: string | undefined): SyncEntry["backup"] {
  const template = text === undefined ? undefined : parseTemplate(text);
  return template === undefined || "reason" in template ? undefined : template;
}

function scheduleOf(text: string | undefined): Schedule | undefined {
  const schedule = text === undefined ? undefined : parseSchedule(text);
  return schedule === undefined || "reason" in schedule ? undefined : schedule;
}
