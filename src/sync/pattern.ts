import { RE2JS } from "re2js";

/** Says of a name whether it is one of those that were meant. In time linear in the name's length, whatever was written. */
export interface Pattern {
  /** As it was written. */
  readonly text: string;
  matches(name: string): boolean;
}

/** Why a text is no pattern, in words that complete a sentence about it. */
export interface PatternRefusal {
  readonly reason: string;
}

/** Nobody writes a longer one, and what is compiled of it grows with it. */
const MAX_LENGTH = 1000;

/** A regular expression in RE2's syntax, as Go has it, found anywhere in the name: `^` and `$` are for who wants its ends. */
export function compileExpression(text: string): Pattern | PatternRefusal {
  return compile(text, text);
}

/** A regular expression for the whole name, put between `^` and `$` as regsync does: `a|b$` is `^a` or `b$`. */
export function compileAnchored(text: string): Pattern | PatternRefusal {
  return compile(text, `^${text}$`);
}

/** A glob for the whole name: `*` is any run without a slash, `**` any run, `?` one character but a slash. All else is itself. */
export function compileGlob(text: string): Pattern | PatternRefusal {
  const parts = text.split(/(\*\*+|\*|\?)/).map((part) => globParts.get(part) ?? translated(part));
  return compile(text, `^${parts.join("")}$`);
}

const globParts: ReadonlyMap<string, string> = new Map([
  ["*", "[^/]*"],
  ["**", ".*"],
  ["?", "[^/]"],
]);

function translated(part: string): string {
  return part.startsWith("**") ? ".*" : RE2JS.quote(part);
}

function compile(text: string, expression: string): Pattern | PatternRefusal {
  if (text === "") return { reason: "is empty" };
  if (text.length > MAX_LENGTH) return { reason: `is longer than ${MAX_LENGTH} characters` };
  try {
    const compiled = RE2JS.compile(expression);
    return { text, matches: (name) => compiled.test(name) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { reason: `is no regular expression that RE2 takes: ${reason}` };
  }
}
