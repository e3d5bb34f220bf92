import type { Path } from "./problem.ts";

/** The keys that a JSON Schema allows in the mapping at `path`; none where it has no keys of its own choosing. */
export function knownKeys(root: object, path: Path): readonly string[] {
  const nodes = path.reduce<readonly unknown[]>(
    (schemas, segment) => schemas.flatMap((schema) => childSchemas(schema, segment)),
    [root],
  );
  return nodes.flatMap(alternatives).flatMap((schema) => Object.keys(member(schema, "properties") ?? {}));
}

function childSchemas(schema: unknown, segment: string | number): readonly unknown[] {
  return alternatives(schema).flatMap((alternative) => {
    const child =
      typeof segment === "number"
        ? member(alternative, "items")
        : (member(member(alternative, "properties"), segment) ?? member(alternative, "additionalProperties"));
    return child === undefined ? [] : [child];
  });
}

function alternatives(schema: unknown): readonly unknown[] {
  const anyOf = member(schema, "anyOf");
  return Array.isArray(anyOf) ? anyOf.flatMap(alternatives) : [schema];
}

function member(value: unknown, key: string): object | undefined {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  const found: unknown = Reflect.get(value, key);
  return typeof found === "object" && found !== null ? found : undefined;
}
