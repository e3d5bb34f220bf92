import { nearestName } from "../config/nearest.ts";
import { parseReference, type Reference } from "../reference/reference.ts";

/** What a name is made from: texts, and what is put in when it is known what is overwritten, and when. */
export type Template = readonly TemplatePart[];

/** A text, or a variable; numbers are filled up with zeros to `digits`. */
export type TemplatePart =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "variable"; readonly name: TemplateVariable; readonly digits: number };

/** What of the target, and what of the moment, in UTC. */
export type TemplateVariable =
  | "registry"
  | "repository"
  | "tag"
  | "year"
  | "month"
  | "day"
  | "hour"
  | "minute"
  | "second";

/** Why a text is no template, in words that complete a sentence about it. */
export interface TemplateRefusal {
  readonly reason: string;
}

/** A part that stands for one variable. */
export function variable(name: TemplateVariable, digits = 0): TemplatePart {
  return { kind: "variable", name, digits };
}

/** What `{NAME}` stands for in our own files: `{date}` is 20260131, `{time}` 235930. */
const names: ReadonlyMap<string, Template> = new Map([
  ["tag", [variable("tag")]],
  ["repository", [variable("repository")]],
  ["registry", [variable("registry")]],
  ["date", [variable("year", 4), variable("month", 2), variable("day", 2)]],
  ["time", [variable("hour", 2), variable("minute", 2), variable("second", 2)]],
]);

/** Reads `{tag}-before-{date}`. */
export function parseTemplate(text: string): Template | TemplateRefusal {
  const parts: TemplatePart[] = [];
  for (const [index, piece] of text.split(/\{([^{}]*)\}/).entries()) {
    if (index % 2 === 1) {
      const found = names.get(piece);
      if (found === undefined) return { reason: unknownName(piece) };
      parts.push(...found);
    } else if (/[{}]/.test(piece)) {
      return { reason: "has a brace without its other one" };
    } else if (piece !== "") {
      parts.push({ kind: "text", text: piece });
    }
  }
  return parts;
}

function unknownName(name: string): string {
  const known = [...names.keys()];
  const nearest = nearestName(name, known);
  return `has {${name}}; ${nearest === undefined ? `there are {${known.join("}, {")}}` : `is {${nearest}} meant?`}`;
}

/** The variables that a template uses. */
export function variablesOf(template: Template): ReadonlySet<TemplateVariable> {
  return new Set(template.flatMap((part) => (part.kind === "variable" ? [part.name] : [])));
}

/** The text that a template makes of a target and a moment. */
export function renderTemplate(template: Template, target: Reference, atMs: number): string {
  return template.map((part) => (part.kind === "text" ? part.text : valueOf(part, target, atMs))).join("");
}

function valueOf(part: TemplatePart & { readonly kind: "variable" }, target: Reference, atMs: number): string {
  const at = new Date(atMs);
  switch (part.name) {
    case "registry":
      return target.host;
    case "repository":
      return target.repository;
    case "tag":
      return target.tag ?? "";
    case "year":
      return padded(at.getUTCFullYear(), part.digits);
    case "month":
      return padded(at.getUTCMonth() + 1, part.digits);
    case "day":
      return padded(at.getUTCDate(), part.digits);
    case "hour":
      return padded(at.getUTCHours(), part.digits);
    case "minute":
      return padded(at.getUTCMinutes(), part.digits);
    case "second":
      return padded(at.getUTCSeconds(), part.digits);
  }
}

function padded(value: number, digits: number): string {
  return String(value).padStart(digits, "0");
}

/** Where what a tag names is kept before it is overwritten: a tag beside it, or a whole reference where the text has `:` or `/`. */
export function backupOf(template: Template, target: Reference, atMs: number): Reference | TemplateRefusal {
  const text = renderTemplate(template, target, atMs).trim();
  const whole = /[:/]/.test(text) ? text : `${target.host}/${target.repository}:${text}`;
  const parsed = parseReference(whole);
  if ("kind" in parsed) return { reason: `makes "${text}", where ${parsed.reason}` };
  if (parsed.digest !== undefined) return { reason: `makes "${text}", which is no tag` };
  return parsed;
}
