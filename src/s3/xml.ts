/** An element of a store's answer. `text` is what stands in it beside its children. */
export interface XmlElement {
  readonly name: string;
  readonly text: string;
  readonly children: readonly XmlElement[];
}

interface Open {
  readonly name: string;
  text: string;
  readonly children: XmlElement[];
}

const depthMax = 8;
/** A page of 1000 objects has less than ten elements for each. */
const elementsMax = 20_000;

const declaration = /^\uFEFF?(?:<\?xml [^?>]*\?>)?\s*/;
const startTag = /<([A-Za-z_][\w.:-]*)(?:\s+[\w.:-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*\s*(\/?)>/y;
const endTag = /<\/([A-Za-z_][\w.:-]*)\s*>/y;
const characters: ReadonlyMap<string, string> = new Map([
  ["amp", "&"],
  ["lt", "<"],
  ["gt", ">"],
  ["quot", '"'],
  ["apos", "'"],
]);

/**
 * Reads the XML that S3 stores write, in one pass: elements, text, the five entities and character references. `undefined` for anything
 * else, so that document types, entities of one's own, and what is too deep or too much are never followed.
 */
export function parseXml(xml: string): XmlElement | undefined {
  const root: Open = { name: "", text: "", children: [] };
  const stack: Open[] = [root];
  let elements = 0;
  let at = declaration.exec(xml)?.[0].length ?? 0;
  while (at < xml.length) {
    const top = stack.at(-1);
    if (top === undefined) return undefined;
    const next = xml.indexOf("<", at);
    const text = decoded(xml.slice(at, next < 0 ? xml.length : next));
    if (text === undefined) return undefined;
    top.text += text;
    if (next < 0) break;
    const tag = tagAt(xml, next);
    if (tag === undefined) return undefined;
    at = tag.endsAt;
    if (tag.kind === "end") {
      if (stack.length === 1 || top.name !== tag.name) return undefined;
      stack.pop();
      continue;
    }
    const element: Open = { name: tag.name, text: "", children: [] };
    elements += 1;
    top.children.push(element);
    if (tag.kind === "start") stack.push(element);
    if (elements > elementsMax || stack.length > depthMax) return undefined;
  }
  const [only, ...others] = root.children;
  return stack.length === 1 && others.length === 0 && root.text.trim() === "" ? only : undefined;
}

/** The text of the first child of that name. */
export function childText(element: XmlElement | undefined, name: string): string | undefined {
  return element?.children.find((child) => child.name === name)?.text;
}

/** A text as it stands in an element. */
export function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

interface Tag {
  readonly kind: "start" | "end" | "empty";
  readonly name: string;
  readonly endsAt: number;
}

function tagAt(xml: string, at: number): Tag | undefined {
  const pattern = xml[at + 1] === "/" ? endTag : startTag;
  pattern.lastIndex = at;
  const [whole, name, slash] = pattern.exec(xml) ?? [];
  if (whole === undefined || name === undefined) return undefined;
  const kind = pattern === endTag ? "end" : slash === "/" ? "empty" : "start";
  return { kind, name, endsAt: at + whole.length };
}

/** Character data; `undefined` when an entity in it is none of the five, and no character. */
function decoded(text: string): string | undefined {
  if (!text.includes("&")) return text;
  let isSound = true;
  const plain = text.replaceAll(/&([^;&]{0,12})(;?)/g, (_, name: string, end: string) => {
    const char = end === ";" ? (characters.get(name) ?? characterOf(name)) : undefined;
    if (char === undefined) isSound = false;
    return char ?? "";
  });
  return isSound ? plain : undefined;
}

function characterOf(name: string): string | undefined {
  const [, hex, decimal] = /^#(?:x([0-9A-Fa-f]{1,6})|([0-9]{1,7}))$/.exec(name) ?? [];
  if (hex === undefined && decimal === undefined) return undefined;
  const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
  return code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
}
