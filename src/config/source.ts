import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
} from "yaml";
import type { Part, Path, Position, Problem } from "./problem.ts";

/** A configuration's text as plain values, and the place in the text of each of them. */
export interface Source {
  readonly value: unknown;
  /** Where the last key of `path`, or its value, is written; a value of several lines is where its key is. Of what is not there, the nearest around it. */
  locate(path: Path, part: Part): Position;
}

/** How files are read that others have laid down the form of. */
export interface SourceOptions {
  /** True: `<<` puts the keys of a mapping into another one, as in YAML 1.1. */
  readonly merge?: boolean;
  /** True for keys whose numbers are texts: the tag `1.10` is not 1.1. Asked with the nearest key above a number; "" where there is none. */
  readonly isText?: (key: string) => boolean;
}

/** Ten times what 10,000 rules take. */
const MAX_TEXT_LENGTH = 16 * 1024 * 1024;
/** What aliases may name and may multiply to: nobody writes that many by hand, and more is an attack on memory. */
const MAX_ALIASES = 100;
const MAX_PROBLEMS = 20;

/** Reads YAML 1.2, one document; or says everything that is wrong with it as YAML. */
export function readSource(
  file: string,
  text: string,
  options: SourceOptions = {},
): Source | { readonly problems: readonly Problem[] } {
  if (text.length > MAX_TEXT_LENGTH) {
    return {
      problems: [{ file, line: 0, column: 0, path: "", message: `is longer than ${MAX_TEXT_LENGTH} characters` }],
    };
  }
  const lines = new LineCounter();
  const positionAt = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: options.merge === true });
  if (options.isText !== undefined) numbersToTexts(document, options.isText);
  const read = valueOf(document);
  if ("faults" in read) {
    const problems = read.faults.slice(0, MAX_PROBLEMS).map(({ offset, message }): Problem => {
      const { line, column } = positionAt(offset);
      return { file, line, column, path: "", message };
    });
    return { problems };
  }
  return {
    value: read.value,
    locate: (path, part) => positionAt(offsetOf(document, path, part)),
  };
}

/** A number becomes what was written for it. */
function numbersToTexts(document: Document.Parsed, isText: (key: string) => boolean): void {
  visit(document, {
    Scalar: (part, node, above) => {
      if (typeof node.value !== "number" || node.source === undefined) return;
      const pair = part === "key" ? undefined : above.findLast((ancestor) => isPair(ancestor));
      if (isText((pair && keyText(pair)) ?? "")) node.value = node.source;
    },
  });
}

interface Fault {
  readonly offset: number;
  readonly message: string;
}

function valueOf(document: Document.Parsed): { readonly value: unknown } | { readonly faults: readonly Fault[] } {
  const errors = [...document.errors, ...document.warnings];
  if (errors.length > 0) {
    return { faults: errors.map(({ pos, message }) => ({ offset: pos[0], message: `is not valid YAML: ${message}` })) };
  }
  const faults = nodeFaults(document);
  if (faults.length > 0) return { faults };
  try {
    return { value: document.toJS({ maxAliasCount: MAX_ALIASES }) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { faults: [{ offset: 0, message: `has aliases that multiply: ${reason}` }] };
  }
}

/** What YAML allows and a configuration has no use for: keys that are no names, aliases without number or anchor. */
function nodeFaults(document: Document.Parsed): readonly Fault[] {
  const faults: Fault[] = [];
  let aliases = 0;
  const look = (node: unknown): void => {
    if (isMap(node)) {
      for (const { key, value } of node.items) {
        if (isName(key)) look(value);
        else faults.push({ offset: startOf(key), message: "a key must be a plain name" });
      }
    } else if (isSeq(node)) {
      for (const item of node.items) look(item);
    } else if (isAlias(node)) {
      aliases += 1;
      // Each resolution goes through the document again.
      if (aliases <= MAX_ALIASES && node.resolve(document) === undefined) {
        faults.push({ offset: startOf(node), message: `the alias *${node.source} names no anchor before it` });
      } else if (aliases === MAX_ALIASES + 1) {
        faults.push({ offset: startOf(node), message: `has more than ${MAX_ALIASES} aliases` });
      }
    }
  };
  look(document.contents);
  return faults;
}

function isName(key: unknown): boolean {
  return isScalar(key) && key.value !== "__proto__";
}

/** Follows `path` as far as it goes. The offset is of the last key or value that is there. */
function offsetOf(document: Document.Parsed, path: Path, part: Part): number {
  let node: unknown = document.contents;
  let offset = startOf(node);
  for (const [index, segment] of path.entries()) {
    const step = stepInto(document, node, segment);
    if (step === undefined) return offset;
    const isLast = index === path.length - 1;
    const isOnOneLine = !isCollection(step.value) || step.value.flow === true;
    offset = isLast && part === "value" && isOnOneLine ? (offsetIn(step.value) ?? step.offset) : step.offset;
    node = step.value;
  }
  return offset;
}

interface Step {
  readonly offset: number;
  readonly value: unknown;
}

function stepInto(document: Document.Parsed, node: unknown, segment: string | number): Step | undefined {
  const target = isAlias(node) ? node.resolve(document) : node;
  if (isSeq(target) && typeof segment === "number") {
    const item = target.items[segment];
    return item === undefined ? undefined : { offset: startOf(item), value: item };
  }
  if (!isMap(target)) return undefined;
  const pair = target.items.find((item) => keyText(item) === String(segment));
  return pair === undefined ? undefined : { offset: startOf(pair.key), value: pair.value };
}

function keyText(pair: Pair): string | undefined {
  return isScalar(pair.key) ? String(pair.key.value) : undefined;
}

function startOf(node: unknown): number {
  return offsetIn(node) ?? 0;
}

function offsetIn(node: unknown): number | undefined {
  return isNodeWithRange(node) ? node.range?.[0] : undefined;
}

function isNodeWithRange(node: unknown): node is Node {
  return typeof node === "object" && node !== null && "range" in node;
}
