import { z } from "zod";

/** A schema for a text that `read` makes something of, or says in words that complete a sentence why not. `wanted` completes "must be". */
export function readable(read: (text: string) => unknown, wanted: string): z.ZodType<string> {
  return z
    .string({ error: (issue) => (issue.input === undefined ? "is missing" : `must be ${wanted}`) })
    .superRefine((text, context) => {
      const value = read(text);
      if (typeof value === "object" && value !== null && "reason" in value) {
        context.addIssue({ code: "custom", message: String(value.reason) });
      } else if (value === undefined) {
        context.addIssue({ code: "custom", message: `must be ${wanted}` });
      }
    });
}

/** A schema for any text but an empty one. */
export function nonEmpty(wanted: string): z.ZodType<string> {
  return readable((text) => (text === "" ? undefined : text), wanted);
}
