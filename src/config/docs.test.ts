import { expect, test } from "bun:test";
import { join } from "node:path";
import { configJsonSchema } from "./schema.ts";
import { load } from "./test-world.ts";
import { wellKnownRegistries } from "./well-known.ts";

const page = await Bun.file(join(import.meta.dir, "../../docs/configuration.md")).text();

/** The first column of the table below a heading. */
function documentedKeys(heading: string): readonly string[] {
  const [, section = ""] = page.split(new RegExp(`^#+ ${RegExp.escape(heading)}$`, "m"));
  const [own = ""] = section.split(/^#+ /m);
  return [...own.matchAll(/^\| `(\w+)` \|/gm)].map(([, key]) => key ?? "");
}

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | false;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
}

/** Every mapping with keys of its own, by the heading it is described under. */
function mappings(schema: Schema, heading: string): readonly (readonly [string, readonly string[]])[] {
  const { properties, additionalProperties, items, anyOf = [] } = schema;
  const below = [...anyOf, ...(items === undefined ? [] : [items])].flatMap((inner) => mappings(inner, heading));
  const values = additionalProperties ? mappings(additionalProperties, `${heading}.HOST`) : [];
  const own = Object.entries(properties ?? {}).flatMap(([key, inner]) =>
    mappings(inner, heading === "The file" ? key : `${heading}.${key}`),
  );
  const keys = Object.keys(properties ?? {});
  return [...(keys.length > 0 ? [[heading, keys] as const] : []), ...own, ...below, ...values];
}

/** What is described elsewhere under the same keys. */
function headingOf(heading: string): string {
  return heading.replace(/^redirect\.buckets\.fill/, "storage.blobs");
}

/** Alternatives of one value have one heading, and their keys one table. */
const described = [...Map.groupBy(mappings(configJsonSchema(), "The file"), ([heading]) => headingOf(heading))].map(
  ([heading, all]) => [heading, [...new Set(all.flatMap(([, keys]) => keys))]] as const,
);

test("the schema has fourteen mappings", () => {
  expect(described.map(([heading]) => heading).toSorted()).toEqual([
    "The file",
    "auth",
    "redirect",
    "redirect.buckets",
    "rules",
    "rules.access",
    "rules.match",
    "storage",
    "storage.blobs",
    "storage.blobs.credentials",
    "tls",
    "upstreams.HOST",
    "upstreams.HOST.budget",
    "upstreams.HOST.credentials",
  ]);
});

test.each(described.map(([heading, keys]) => [heading, keys]))(
  "the page describes all keys of %s, and no others",
  (heading, keys) => {
    expect(documentedKeys(heading).toSorted()).toEqual([...keys].toSorted());
  },
);

test("every example on the page loads", async () => {
  const examples = [...page.matchAll(/^```yaml\n([^]*?)^```$/gm)].map(([, text = ""]) => text);
  expect(examples).toHaveLength(4);
  for (const text of examples) expect(await load({ text })).toMatchObject({ kind: "loaded", warnings: [] });
});

test("the page names the well-known registries", () => {
  const [, section = ""] = page.split("## Well-known registries");
  const named = (section.split("Their blob")[0] ?? "")
    .trim()
    .replace(/\.$/, "")
    .split(/,\s+|\s+and\s+/);
  expect(named).toEqual([...wellKnownRegistries.keys()]);
});
