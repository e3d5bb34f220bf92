import type { Template } from "../template.ts";
import { formatMoment, goFunctions, type GoWorld, plainParts } from "./go-functions.ts";
import { goPieces, type GoRefusal, type GoToken } from "./go-tokens.ts";
import { goText, type GoValue, knownText } from "./go-values.ts";

/** What a template is evaluated in. */
export interface GoScope extends GoWorld {
  /** Values by path: `.Sync.Source`, `.Ref.Tag`. */
  readonly fields: ReadonlyMap<string, Template>;
}

/** Evaluates a Go template as far as it can be now. Refuses what is not understood, control structures first of all. */
export function evaluateGo(template: string, scope: GoScope): GoRefusal | Template {
  const pieces = goPieces(template);
  if ("reason" in pieces) return pieces;
  const run: Run = { scope, variables: new Map() };
  const parts: Template[number][] = [];
  for (const piece of pieces) {
    const made = piece.kind === "text" ? [piece] : runAction(piece.tokens, run);
    if ("reason" in made) return made;
    parts.push(...made);
  }
  return parts;
}

/** The files that a template reads by a name that is written in it. */
export function fileArguments(template: string): readonly string[] {
  const pieces = goPieces(template);
  if ("reason" in pieces) return [];
  return pieces.flatMap((piece) => (piece.kind === "action" ? piece.tokens : [])).flatMap(fileAfter);
}

function fileAfter(token: GoToken, index: number, tokens: readonly GoToken[]): readonly string[] {
  const next = tokens[index + 1];
  return token.kind === "name" && token.text === "file" && next?.kind === "string" ? [next.text] : [];
}

/** The file, when a template is nothing but `{{file "PATH"}}`: what is in it need not be held then. */
export function onlyFile(template: string): string | undefined {
  const pieces = goPieces(template);
  if ("reason" in pieces || pieces.length !== 1 || pieces[0]?.kind !== "action") return undefined;
  const { tokens } = pieces[0];
  return tokens.length === 2 ? fileArguments(template)[0] : undefined;
}

interface Run {
  readonly scope: GoScope;
  readonly variables: Map<string, GoValue>;
}

const keywords: ReadonlySet<string> = new Set("block break continue define else end if range template with".split(" "));

function runAction(tokens: readonly GoToken[], run: Run): GoRefusal | Template {
  const [first, second] = tokens;
  if (first?.kind === "name" && keywords.has(first.text)) {
    return { reason: `uses {{${first.text}}}; write what it comes to, or one entry for each case` };
  }
  const isAssignment = first?.kind === "name" && second?.kind === "mark" && second.text === ":=";
  const value = runPipeline(isAssignment ? tokens.slice(2) : tokens, run);
  if ("reason" in value) return value;
  if (!isAssignment) return plainParts(value);
  run.variables.set(first.text, value);
  return [];
}

/** Commands behind `|` get what comes before them as their last argument. */
function runPipeline(tokens: readonly GoToken[], run: Run): GoRefusal | GoValue {
  let piped: GoValue | undefined;
  for (const command of splitAtPipes(tokens)) {
    const value = runCommand(command, run, piped);
    if ("reason" in value) return value;
    piped = value;
  }
  return piped ?? { reason: "has an action with nothing in it" };
}

function splitAtPipes(tokens: readonly GoToken[]): readonly (readonly GoToken[])[] {
  const commands: GoToken[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    if (token.kind === "mark" && token.text === "(") depth += 1;
    if (token.kind === "mark" && token.text === ")") depth -= 1;
    if (token.kind === "mark" && token.text === "|" && depth === 0) commands.push([]);
    else commands.at(-1)?.push(token);
  }
  return commands;
}

function runCommand(tokens: readonly GoToken[], run: Run, piped: GoValue | undefined): GoRefusal | GoValue {
  const [first] = tokens;
  if (first === undefined) return { reason: "has an action with nothing in it" };
  const called = first.kind === "name" ? goFunctions.get(first.text) : undefined;
  const formats = first.kind === "name" && first.text.endsWith(".Format");
  const args = operands(called === undefined && !formats ? tokens : tokens.slice(1), run);
  if ("reason" in args) return args;
  const all = piped === undefined ? args : [...args, piped];
  if (called !== undefined) return called(all, run.scope);
  if (formats) return formatOf(first.text.slice(0, -".Format".length), all, run);
  const [value] = all;
  return value === undefined || all.length > 1 ? { reason: "has values side by side without a function" } : value;
}

function formatOf(name: string, args: readonly GoValue[], run: Run): GoRefusal | GoValue {
  const time = valueOfName(name, run);
  const layout = knownText(args[0]);
  if ("reason" in time) return time;
  return time.kind !== "time" || layout === undefined
    ? { reason: "uses Format on what is no time" }
    : formatMoment(layout);
}

/** Values, where parentheses make one of a pipeline. */
function operands(tokens: readonly GoToken[], run: Run): GoRefusal | readonly GoValue[] {
  const values: GoValue[] = [];
  for (let index = 0; index < tokens.length; index += 1) {
    const token = tokens[index];
    if (token === undefined) break;
    const end = token.kind === "mark" && token.text === "(" ? closing(tokens, index) : index;
    if (end === undefined) return { reason: "has a parenthesis without its other one" };
    const value = end > index ? runPipeline(tokens.slice(index + 1, end), run) : operand(token, run);
    if ("reason" in value) return value;
    values.push(value);
    index = end;
  }
  return values;
}

function closing(tokens: readonly GoToken[], open: number): number | undefined {
  let depth = 0;
  for (let index = open; index < tokens.length; index += 1) {
    const token = tokens[index];
    if (token?.kind !== "mark") continue;
    if (token.text === "(") depth += 1;
    if (token.text === ")") depth -= 1;
    if (depth === 0) return index;
  }
  return undefined;
}

function operand(token: GoToken, run: Run): GoRefusal | GoValue {
  switch (token.kind) {
    case "string":
      return goText(token.text);
    case "number":
      return { kind: "number", value: token.value };
    case "name":
      return valueOfName(token.text, run);
    case "mark":
      return { reason: `has "${token.text}" where a value is expected` };
  }
}

const momentFields: ReadonlyMap<string, "day" | "hour" | "minute" | "month" | "second" | "year"> = new Map([
  ["Year", "year"],
  ["Month", "month"],
  ["Day", "day"],
  ["Hour", "hour"],
  ["Minute", "minute"],
  ["Second", "second"],
]);

function valueOfName(name: string, { scope, variables }: Run): GoRefusal | GoValue {
  const parts = scope.fields.get(name);
  if (parts !== undefined) return { kind: "text", parts };
  if (name === "time.Now") return { kind: "time" };
  const held = variables.get(name);
  if (held !== undefined) return held;
  const dot = name.lastIndexOf(".");
  const base = name.slice(0, Math.max(dot, 0));
  const isTime = base === "time.Now" || variables.get(base)?.kind === "time";
  const field = momentFields.get(name.slice(dot + 1));
  if (isTime && field !== undefined) return { kind: "moment", name: field };
  return { reason: `uses ${name}, which is not understood here; those that are, are ${understood(scope)}` };
}

function understood({ fields }: GoScope): string {
  return [...fields.keys(), "time.Now", ...goFunctions.keys()].join(", ");
}
