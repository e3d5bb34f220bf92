/** A piece of a Go template: text to be kept, or what stands between `{{` and `}}`. */
export type GoPiece =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "action"; readonly tokens: readonly GoToken[] };

/** A token of an action. A name has its fields with it: `.Ref.Tag`, `$t.Year`, `time.Now`. */
export type GoToken =
  | { readonly kind: "name"; readonly text: string }
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "string"; readonly text: string }
  | { readonly kind: "mark"; readonly text: ":=" | "(" | ")" | "|" };

/** Why a text is no template that is understood here. */
export interface GoRefusal {
  readonly reason: string;
}

const MAX_LENGTH = 10_000;
const escapes: ReadonlyMap<string, string> = new Map([
  ["n", "\n"],
  ["t", "\t"],
  ['"', '"'],
  ["\\", "\\"],
]);
const token = /\s*(?:"((?:[^"\\]|\\.)*)"|`([^`]*)`|([0-9]+)|(:=|[()|])|([$A-Za-z_.][$\w.]*))/y;

/** Cuts a template into texts and actions, white space trimmed where an action has a dash at that side. */
export function goPieces(template: string): readonly GoPiece[] | GoRefusal {
  if (template.length > MAX_LENGTH) return { reason: `is longer than ${MAX_LENGTH} characters` };
  const pieces: GoPiece[] = [];
  let rest = template;
  let trimsNext = false;
  for (;;) {
    const open = rest.indexOf("{{");
    const trimsBefore = open >= 0 && /^\{\{-\s/.test(rest.slice(open));
    const text = trimmed(open < 0 ? rest : rest.slice(0, open), trimsNext, trimsBefore);
    if (text !== "") pieces.push({ kind: "text", text });
    if (open < 0) return pieces;
    const action = readAction(rest.slice(open + (trimsBefore ? 3 : 2)));
    if ("reason" in action) return action;
    if (action.tokens !== undefined) pieces.push({ kind: "action", tokens: action.tokens });
    rest = action.rest;
    trimsNext = action.trimsNext;
  }
}

function trimmed(text: string, start: boolean, end: boolean): string {
  const from = start ? text.trimStart() : text;
  return end ? from.trimEnd() : from;
}

interface Action {
  /** Absent for a comment. */
  readonly tokens: readonly GoToken[] | undefined;
  readonly rest: string;
  readonly trimsNext: boolean;
}

function readAction(text: string): Action | GoRefusal {
  const comment = /^\s*\/\*[^]*?\*\/\s*(-?)\}\}/.exec(text);
  if (comment !== null)
    return { tokens: undefined, rest: text.slice(comment[0].length), trimsNext: comment[1] === "-" };
  const tokens: GoToken[] = [];
  let at = 0;
  for (;;) {
    const end = /\s*(\s-)?\}\}/y;
    end.lastIndex = at;
    const closed = end.exec(text);
    if (closed !== null) return { tokens, rest: text.slice(end.lastIndex), trimsNext: closed[1] !== undefined };
    token.lastIndex = at;
    const found = token.exec(text);
    if (found === null) {
      const left = text.slice(at).trim();
      return {
        reason: left === "" ? "has {{ without its }}" : `has "${left.slice(0, 12)}", which is not understood here`,
      };
    }
    tokens.push(tokenOf(found));
    at = token.lastIndex;
  }
}

function tokenOf([, quoted, raw, digits, mark, name = ""]: RegExpExecArray): GoToken {
  if (quoted !== undefined) return { kind: "string", text: unescaped(quoted) };
  if (raw !== undefined) return { kind: "string", text: raw };
  if (digits !== undefined) return { kind: "number", value: Number(digits) };
  if (mark === ":=" || mark === "(" || mark === ")" || mark === "|") return { kind: "mark", text: mark };
  return { kind: "name", text: name };
}

function unescaped(text: string): string {
  return text.replaceAll(/\\(.)/g, (whole, letter: string) => escapes.get(letter) ?? whole);
}
