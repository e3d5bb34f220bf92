import { type Template, type TemplatePart, type TemplateVariable, variable } from "../template.ts";
import type { GoRefusal } from "./go-tokens.ts";
import { goText, type GoValue, knownText } from "./go-values.ts";

/** Where values come from that a template asks for. */
export interface GoWorld {
  env(name: string): string;
  /** What is in a file, without white space at its ends; or why not. */
  file(path: string): string | GoRefusal;
}

type GoFunction = (args: readonly GoValue[], world: GoWorld) => GoRefusal | GoValue;

/** The functions that are understood, with their meaning in regsync. */
export const goFunctions: ReadonlyMap<string, GoFunction> = new Map<string, GoFunction>([
  ["default", ([fallback, value]) => (knownText(value) === "" ? fallback : value) ?? wrong("default")],
  ["env", ([name], world) => mapped(name, "env", (text) => world.env(text))],
  ["file", ([path], world) => fileOf(path, world)],
  ["index", ([list, at]) => indexOf(list, at)],
  ["join", ([list, by]) => joined(list, by)],
  ["lower", ([value]) => mapped(value, "lower", (text) => text.toLowerCase())],
  ["print", (args) => printed("%v".repeat(args.length), args)],
  ["printf", ([format, ...args]) => printed(knownText(format), args)],
  ["split", ([value, by]) => split(value, by)],
  ["trimSpace", ([value]) => mapped(value, "trimSpace", (text) => text.trim())],
  ["upper", ([value]) => mapped(value, "upper", (text) => text.toUpperCase())],
]);

function wrong(name: string): GoRefusal {
  return { reason: `uses ${name} with something that it is not understood with here` };
}

function mapped(value: GoValue | undefined, name: string, change: (text: string) => string): GoRefusal | GoValue {
  const text = knownText(value);
  return text === undefined ? wrong(name) : goText(change(text));
}

function fileOf(path: GoValue | undefined, world: GoWorld): GoRefusal | GoValue {
  const name = knownText(path);
  const content = name === undefined ? wrong("file") : world.file(name);
  return typeof content === "string" ? goText(content) : content;
}

function split(value: GoValue | undefined, by: GoValue | undefined): GoRefusal | GoValue {
  const [text, separator] = [knownText(value), knownText(by)];
  if (text === undefined || separator === undefined) return wrong("split");
  return { kind: "list", items: text.split(separator) };
}

function joined(list: GoValue | undefined, by: GoValue | undefined): GoRefusal | GoValue {
  const separator = knownText(by);
  if (list?.kind !== "list" || separator === undefined) return wrong("join");
  return goText(list.items.join(separator));
}

function indexOf(list: GoValue | undefined, at: GoValue | undefined): GoRefusal | GoValue {
  if (list?.kind !== "list" || at?.kind !== "number") return wrong("index");
  const item = list.items[at.value];
  return item === undefined ? { reason: `takes element ${at.value} of a list of ${list.items.length}` } : goText(item);
}

/** `%s`, `%v`, `%d`, `%02d` and `%%`. */
function printed(format: string | undefined, args: readonly GoValue[]): GoRefusal | GoValue {
  if (format === undefined) return wrong("printf");
  const parts: TemplatePart[] = [];
  let next = 0;
  for (const piece of format.split(/(%0?[0-9]*[A-Za-z]|%%)/)) {
    const verb = /^%(?:0([0-9]))?([sdv])$/.exec(piece);
    if (verb === null) {
      if (piece.startsWith("%") && piece !== "%%")
        return { reason: `uses printf with ${piece}; %s, %d and %02d are understood` };
      parts.push(...textParts(piece === "%%" ? "%" : piece));
      continue;
    }
    const part = printedPart(args[next], verb[2] === "d", Number(verb[1] ?? 0));
    if ("reason" in part) return part;
    parts.push(...part);
    next += 1;
  }
  return next === args.length
    ? { kind: "text", parts }
    : { reason: "gives printf more or fewer values than it prints" };
}

function printedPart(value: GoValue | undefined, isNumber: boolean, digits: number): GoRefusal | Template {
  if (value?.kind === "moment" && isNumber) return [variable(value.name, digits)];
  if (value?.kind === "number" && isNumber) return textParts(String(value.value).padStart(digits, "0"));
  return isNumber || value === undefined ? wrong("printf") : plainParts(value);
}

/** What a value prints as by itself. */
export function plainParts(value: GoValue): GoRefusal | Template {
  switch (value.kind) {
    case "text":
      return value.parts;
    case "number":
      return textParts(String(value.value));
    case "moment":
      return value.name === "month"
        ? { reason: "prints the name of a month; write it with printf %02d" }
        : [variable(value.name)];
    case "list":
    case "time":
      return {
        reason: `prints a ${value.kind}; ${value.kind === "time" ? 'give it a form, as in time.Now.Format "20060102"' : "take one of it with index"}`,
      };
  }
}

function textParts(text: string): Template {
  return text === "" ? [] : [{ kind: "text", text }];
}

/** The elements of Go's reference time that are understood, longest first. */
const layoutElements: readonly (readonly [string, TemplateVariable, number])[] = [
  ["2006", "year", 4],
  ["01", "month", 2],
  ["02", "day", 2],
  ["15", "hour", 2],
  ["04", "minute", 2],
  ["05", "second", 2],
];

/** A moment by a layout of Go: digits of 2006-01-02 15:04:05, and marks between them. */
export function formatMoment(layout: string): GoRefusal | GoValue {
  const parts: TemplatePart[] = [];
  let rest = layout;
  while (rest !== "") {
    const element = layoutElements.find(([text]) => rest.startsWith(text));
    const mark = /^[-_.:/TZ ]+/.exec(rest)?.[0];
    if (element === undefined && mark === undefined) {
      return { reason: `has the form of time "${layout}"; only 2006, 01, 02, 15, 04 and 05 are understood` };
    }
    parts.push(...(element === undefined ? textParts(mark ?? "") : [variable(element[1], element[2])]));
    rest = rest.slice(element === undefined ? mark?.length : element[0].length);
  }
  return { kind: "text", parts };
}
