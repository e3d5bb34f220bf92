import type { Template, TemplateVariable } from "../template.ts";

/** What an expression of a Go template is worth: known texts, or what is only known when something is overwritten. */
export type GoValue =
  | { readonly kind: "list"; readonly items: readonly string[] }
  | { readonly kind: "number"; readonly value: number }
  /** A number of the moment. Months are printed as numbers by printf only. */
  | { readonly kind: "moment"; readonly name: TemplateVariable }
  | { readonly kind: "text"; readonly parts: Template }
  | { readonly kind: "time" };

/** A known text as a value. */
export function goText(text: string): GoValue {
  return { kind: "text", parts: text === "" ? [] : [{ kind: "text", text }] };
}

/** The text of a value whose text is known. */
export function knownText(value: GoValue | undefined): string | undefined {
  if (value?.kind !== "text") return undefined;
  const texts = value.parts.map((part) => (part.kind === "text" ? part.text : undefined));
  return texts.includes(undefined) ? undefined : texts.join("");
}
