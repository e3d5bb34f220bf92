import type { z } from "zod";
import { knownKeys } from "./keys.ts";
import { nearestName } from "./nearest.ts";
import type { Path } from "./problem.ts";

/** Something in the file that its schema refuses. The place is that of the last key of `path` where `isKey`, else of the value. */
export interface SchemaIssue {
  readonly path: Path;
  readonly isKey: boolean;
  readonly message: string;
}

type Issue = z.core.$ZodIssue;
/** The keys that the schema knows in the mapping at a path. */
type KeysAt = (path: Path) => readonly string[];

/** What `value` is by a schema, or everything that is refused in it. The JSON Schema, of the same, is for the names of keys. */
export function checkSchema<T>(
  schema: z.ZodType<T>,
  jsonSchemaOf: () => object,
  value: unknown,
): { readonly value: T } | { readonly issues: readonly SchemaIssue[] } {
  const result = schema.safeParse(value, { error: messageOf, reportInput: true });
  if (result.success) return { value: result.data };
  let jsonSchema: object | undefined;
  const keysAt: KeysAt = (path) => knownKeys((jsonSchema ??= jsonSchemaOf()), path);
  return { issues: result.error.issues.flatMap((issue) => describe(issue, [], keysAt)) };
}

function describe(issue: Issue, above: Path, keysAt: KeysAt): readonly SchemaIssue[] {
  const path = [...above, ...issue.path.map((part) => (typeof part === "number" ? part : String(part)))];
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => ({
        path: [...path, key],
        isKey: true,
        message: unknownKey(keysAt(path), key),
      }));
    case "invalid_key":
      return issue.issues.slice(0, 1).map(({ message }) => ({ path, isKey: true, message }));
    case "invalid_union": {
      const message = issue.input === undefined ? "is missing" : issue.message;
      const meant = issue.input === undefined ? undefined : meantAlternative(issue.errors);
      return meant?.flatMap((inner) => describe(inner, path, keysAt)) ?? [{ path, isKey: false, message }];
    }
    default:
      return [{ path, isKey: false, message: issue.message }];
  }
}

/** The alternative whose kind of value was written, if one is: its issues say more than those of the whole union. */
function meantAlternative(alternatives: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  return alternatives.find((issues) => issues.length > 0 && !issues.some(isOfAnotherKind));
}

function isOfAnotherKind(issue: Issue): boolean {
  if (issue.path.length > 0) return false;
  if (issue.code === "invalid_union") return meantAlternative(issue.errors) === undefined;
  return issue.code === "invalid_type" || issue.code === "invalid_value";
}

function unknownKey(keys: readonly string[], key: string): string {
  const nearest = nearestName(key, keys);
  if (nearest !== undefined) return `is no known key; is "${nearest}" meant?`;
  return `is no known key; those known here are ${keys.join(", ")}`;
}

/** Messages for what the schema has no words of its own for. Values are not repeated: one may be a secret in the wrong place. */
function messageOf(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.input === undefined) return "is missing";
  switch (issue.code) {
    case "invalid_type":
      return `must be ${kindNames.get(issue.expected) ?? `a ${issue.expected}`}`;
    case "invalid_value":
      return `must be ${new Intl.ListFormat("en", { type: "disjunction" }).format(issue.values.map(String))}`;
    default:
      return undefined;
  }
}

const kindNames: ReadonlyMap<string, string> = new Map([
  ["object", "a mapping of keys to values; {} if there are none"],
  ["record", "a mapping of keys to values; {} if there are none"],
  ["array", "a list"],
]);
