import type { Path } from "../../config/problem.ts";
import { type Reading, resolveFrom } from "../reading.ts";
import { type Template, variable } from "../template.ts";
import type { RegsyncEntry } from "./file.ts";
import { evaluateGo, type GoScope } from "./go-template.ts";
import { goText } from "./go-values.ts";

type Fields = GoScope["fields"];
const noFields: Fields = new Map();

/** The text that a value with templates comes to now; `undefined` when that cannot be said, which is then among the findings. */
export function expandNow(reading: Reading, text: string, path: Path, fields: Fields = noFields): string | undefined {
  const template = expand(reading, text, path, fields);
  if (template === undefined) return undefined;
  const texts = template.map((part) => (part.kind === "text" ? part.text : undefined));
  if (!texts.includes(undefined)) return texts.join("");
  reading.findings.problem(path, "depends on the time or the target, which only backup may");
  return undefined;
}

/** What a value with templates comes to, as far as it can be said now. */
export function expand(reading: Reading, text: string, path: Path, fields: Fields): Template | undefined {
  const made = evaluateGo(text, { ...worldOf(reading, path), fields });
  if (!("reason" in made)) return made;
  reading.findings.problem(path, made.reason);
  return undefined;
}

/** What templates of `source`, `target` and `backup` may name of the entry itself. */
export function entryFields(entry: Pick<RegsyncEntry, "source" | "target" | "type">): Fields {
  const values: readonly (readonly [string, string])[] = [
    ["Source", entry.source],
    ["Target", entry.target],
    ["Type", entry.type],
  ];
  return new Map(
    [".Sync", ".Step"].flatMap((base) => values.map(([name, text]) => [`${base}.${name}`, partsOf(text)] as const)),
  );
}

/** What a template of `backup` may name beside that: what is overwritten. */
export const refFields: Fields = new Map<string, Template>([
  [".Ref.Registry", [variable("registry")]],
  [".Ref.Repository", [variable("repository")]],
  [".Ref.Tag", [variable("tag")]],
  [
    ".Ref.Reference",
    [
      variable("registry"),
      { kind: "text", text: "/" },
      variable("repository"),
      { kind: "text", text: ":" },
      variable("tag"),
    ],
  ],
]);

function partsOf(text: string): Template {
  const value = goText(text);
  return value.kind === "text" ? value.parts : [];
}

function worldOf(reading: Reading, path: Path): Omit<GoScope, "fields"> {
  return {
    env: (name) => {
      const value = reading.env[name];
      if (value === undefined)
        reading.findings.warning(path, `uses the variable ${name}, which is not set: it is empty`);
      return value ?? "";
    },
    file: (name) => {
      const content = reading.contents.get(resolveFrom(reading, name));
      if (content === undefined) return { reason: "reads a file whose name is not written in it" };
      return content.kind === "text" ? content.text.trim() : { reason: `reads ${name}, which ${content.reason}` };
    },
  };
}
