import type { Platform } from "../../reference/platform.ts";
import type { SyncEntry } from "../plan-input.ts";
import type { TagFilter } from "../tags.ts";
import type { Template } from "../template.ts";

/** An entry as one line: `SOURCE [CHOICE] -> TARGET`, and every option that is not the default. */
export function describe(entry: SyncEntry): string {
  const { platforms, referrers, digestTags, backup, schedule } = entry;
  const options = [
    platforms.kind === "single" ? `platform ${formatPlatform(platforms.platform)}` : "",
    platforms.kind === "index-of" ? `platforms ${platforms.platforms.map(formatPlatform).join(",")}` : "",
    referrers ? "referrers" : "",
    digestTags ? "digestTags" : "",
    backup === undefined ? "" : `backup ${describeTemplate(backup)}`,
    entry.delete ? "delete" : "",
    schedule?.kind === "interval" ? `every ${schedule.everyMs} ms` : (schedule?.expression ?? ""),
  ].filter((option) => option !== "");
  return [`${sourceText(entry)} -> ${targetText(entry)}`, ...options].join("; ");
}

/** A template with its variables in braces. */
export function describeTemplate(template: Template): string {
  return template.map((part) => (part.kind === "text" ? part.text : `{${part.name}${part.digits || ""}}`)).join("");
}

function sourceText({ source, images }: SyncEntry): string {
  const { host } = source;
  const place = source.kind === "repository" ? `${host}/${source.repository}` : `${host}/[${repositories(source)}]`;
  if (images.kind === "one") {
    return `${place}${images.tag === undefined ? "" : `:${images.tag}`}${images.digest === undefined ? "" : `@${images.digest}`}`;
  }
  const { list, filters } = images.choice;
  return `${place}:[${[...list, ...filters.map(filterText)].join(" | ")}]`;
}

function repositories({ repositories }: SyncEntry["source"] & { readonly kind: "registry" }): string {
  const { list, match, skip } = repositories;
  const matches = match === undefined ? [] : match.length === 0 ? ["*"] : match.map(({ text }) => `/${text}/`);
  return [...list, ...matches, ...skip.map(({ text }) => `!${text}`)].join(" ");
}

function filterText({ skip, match, ranges, newest }: TagFilter): string {
  const parts = [
    ...skip.map(({ text }) => `!${text}`),
    ...match.map(({ text }) => `/${text}/`),
    ...ranges.map(({ text }) => `(${text})`),
    ...(newest === undefined ? [] : [`newest ${newest}`]),
  ];
  return parts.length === 0 ? "*" : parts.join(" ");
}

function targetText({ target }: SyncEntry): string {
  const rest = { none: "", whole: "**", "last-segment": "*" }[target.rest];
  const path = [target.path, rest].filter((part) => part !== "").join("/");
  return `${target.host}/${path}${target.tag === undefined ? "" : `:${describeTemplate(target.tag)}`}`;
}

function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, variant].filter((part) => part !== undefined).join("/");
}
