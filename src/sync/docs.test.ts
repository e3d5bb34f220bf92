import { expect, test } from "bun:test";
import { join } from "node:path";
import { goFunctions } from "./regsync/go-functions.ts";
import { ignoredKeys } from "./regsync/ignored.ts";
import { regsyncJsonSchema } from "./regsync/schema.ts";
import { syncJsonSchema } from "./schema.ts";
import { skopeoJsonSchema } from "./skopeo/schema.ts";
import { load } from "./testing/world.ts";

const page = await Bun.file(join(import.meta.dir, "../../docs/sync.md")).text();

function section(heading: string): string {
  const [, text = ""] = page.split(new RegExp(`^#+ ${RegExp.escape(heading)}$`, "m"));
  return text.split(/^#+ /m)[0] ?? "";
}

/** The first column of the table below a heading. */
function documentedKeys(heading: string): readonly string[] {
  return [...section(heading).matchAll(/^\| `([\w-]+)` \|/gm)].map(([, key]) => key ?? "");
}

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | false;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
}

/** Every mapping with keys of its own, by the heading it is described under. */
function mappings(schema: Schema, heading: string): readonly (readonly [string, readonly string[]])[] {
  const { properties = {}, additionalProperties, items, anyOf = [] } = schema;
  const inner = [...anyOf, ...(items === undefined ? [] : [items])].flatMap((below) => mappings(below, heading));
  const values = additionalProperties ? mappings(additionalProperties, `${heading}.HOST`) : [];
  const own = Object.entries(properties).flatMap(([key, below]) =>
    mappings(below, heading === "The file" ? key : `${heading}.${key}`),
  );
  const keys = Object.keys(properties);
  return [...(keys.length > 0 ? [[heading, keys] as const] : []), ...own, ...inner, ...values];
}

const described = mappings(syncJsonSchema(), "The file");

test("the schema has eight mappings", () => {
  expect(described.map(([heading]) => heading).toSorted()).toEqual([
    "The file",
    "defaults",
    "registries.HOST",
    "registries.HOST.budget",
    "registries.HOST.credentials",
    "sync",
    "sync.repositories",
    "sync.tags",
  ]);
});

test.each(described.map(([heading, keys]) => [heading, keys]))(
  "the page describes all keys of %s, and no others",
  (heading, keys) => {
    expect(documentedKeys(heading).toSorted()).toEqual([...keys].toSorted());
  },
);

test("the page's example loads without a warning", async () => {
  const examples = [...page.matchAll(/^```yaml\n([^]*?)^```$/gm)].map(([, text = ""]) => text);
  expect(examples).toHaveLength(1);
  for (const text of examples) expect(await load({ text })).toMatchObject({ kind: "loaded", warnings: [] });
});

test("every key and every function of regsync's is on the page, understood or warned of", () => {
  const understood = mappings(regsyncJsonSchema(), "The file").flatMap(([, keys]) => keys);
  const names = [...new Set([...understood, ...ignoredKeys, ...goFunctions.keys()])].filter((key) => key !== "sync");
  expect(names.length).toBeGreaterThan(60);
  expect(names.filter((name) => !section("regsync").includes(`\`${name}\``))).toEqual([]);
});

test("every key of skopeo's is on the page, and no other", () => {
  const keys = mappings(skopeoJsonSchema(), "skopeo").find(([heading]) => heading === "skopeo.HOST")?.[1] ?? [];
  expect(documentedKeys("skopeo").toSorted()).toEqual([...keys].toSorted());
});
