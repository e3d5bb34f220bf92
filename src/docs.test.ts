import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { load } from "./config/test-world.ts";
import { mayImport } from "./imports.fixture.ts";

// The documents against the code: what they name is there, and what is there is named.

const root = join(import.meta.dir, "..");
const pages = ["*.md", "docs/**/*.md", "src/**/*.md", "bench/**/*.md", "test/**/*.md"]
  .flatMap((pattern) => Array.from(new Bun.Glob(pattern).scanSync(root)))
  .toSorted();
const docs = pages.filter((page) => page.startsWith("docs/") || !page.includes("/"));
const sources = [...new Bun.Glob("src/**/*.ts").scanSync(root)];
const code = sources.filter((file) => !/\.(test|fixture)\.ts$|\/testing\/|\/test-[a-z]+\.ts$/.test(file));
const tests = [...sources, ...new Bun.Glob("test/real/*.ts").scanSync(root)].filter((file) =>
  file.endsWith(".test.ts"),
);

function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** A page without its blocks and spans of code, in which brackets are no links. */
function prose(page: string): string {
  return read(page)
    .replaceAll(/^```[^]*?^```$/gm, "")
    .replaceAll(/`[^`\n]*`/g, "");
}

/** A heading's anchor, as the hosts of repositories make it. */
function anchor(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}

function anchorsOf(page: string): readonly string[] {
  return [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => anchor(heading));
}

/** The rows of a page's table, or of the one below a heading; cells without the marks of code. */
function tableOf(page: string, heading?: string): readonly (readonly string[])[] {
  const text = heading === undefined ? read(page) : (read(page).split(`\n## ${heading}\n`)[1] ?? "");
  const rows = text
    .split("\n## ", 1)[0]!
    .split("\n")
    .filter((line) => line.startsWith("|"));
  return rows.slice(2).map((row) =>
    row
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll("`", "")),
  );
}

function found(files: readonly string[], pattern: RegExp): readonly string[] {
  return [...new Set(files.flatMap((file) => read(file).match(pattern) ?? []))].toSorted();
}

describe("links", () => {
  const links = pages.flatMap((page) =>
    [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target = ""]) => target)
      .filter((target) => !/^https?:/.test(target))
      .map((target) => [page, target] as const),
  );

  test("there are some", () => expect(links.length).toBeGreaterThan(40));

  test.each(links)("%s leads to %s", (page, target) => {
    const [path = "", hash] = target.split("#", 2);
    const file = path === "" ? page : relative(root, join(root, dirname(page), path));
    expect([target, existsSync(join(root, file))]).toEqual([target, true]);
    if (hash !== undefined) expect(anchorsOf(file)).toContain(hash);
  });
});

test("every page of docs is linked from another one; decisions are a folder", () => {
  const all = docs.map((page) => [page, prose(page)] as const);
  const named = docs.filter((page) => /^docs\/[^/]+$/.test(page));
  const unlinked = named.filter(
    (page) => !all.some(([other, text]) => other !== page && text.includes(page.slice("docs/".length))),
  );
  expect(unlinked).toEqual([]);
});

test("docs/operations.md has every metric, and no other", () => {
  const inCode = new Set(
    found(code, /\bperiplus_[a-z_]+[a-z]\b/g).map((name) => name.replace(/_(bucket|sum|count)$/, "")),
  );
  const inPage = found(["docs/operations.md"], /\bperiplus_[a-z_]+[a-z]\b/g);
  expect(inCode.size).toBeGreaterThan(10);
  expect(inPage).toEqual([...inCode].toSorted());
});

test("every field of an access record is in docs/operations.md, and no other", () => {
  const record = read("src/server/record.ts");
  const notes = /interface Notes \{([^]*?)\n\}/.exec(record)?.[1] ?? "";
  const json = /JSON\.stringify\(\{([^]*?)\n {2}\}\)/.exec(record)?.[1] ?? "";
  const fields = [...notes.matchAll(/^ {2}(\w+)\??:/gm), ...json.matchAll(/^ {4}(\w+)[:,]/gm)].map(
    ([, name = ""]) => name,
  );
  const documented = tableOf("docs/operations.md", "Access records").flatMap(([cell = ""]) => cell.split(", "));
  expect(documented.toSorted()).toEqual(fields.toSorted());
});

test("every error code stands in the documents", () => {
  const union = /type FailureCode =([^;]*);/.exec(read("src/errors/failure.ts"))?.[1] ?? "";
  const codes = [...union.matchAll(/"([A-Z_]+)"/g)].map(([, name = ""]) => name);
  const text = docs.map(read).join("\n");
  expect(codes.length).toBeGreaterThan(15);
  expect(codes.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
});

test.each([
  ["README.md", 3],
  ["docs/registry.md", 2],
])("the configurations of %s load without a warning", async (page, count) => {
  const examples = [...read(page).matchAll(/^```yaml\n([^]*?)^```$/gm)].map(([, text = ""]) => text);
  expect(examples).toHaveLength(count);
  for (const text of examples) expect(await load({ text })).toMatchObject({ kind: "loaded", warnings: [] });
});

test("the table of folders is the one that imports are held against", () => {
  const table = tableOf("docs/architecture.md", "Folders").map(([folder = "", , ours = "", packages = ""]) => [
    folder,
    `${ours}, ${packages}`.split(", ").filter((name) => name !== ""),
  ]);
  const expected = Object.entries(mayImport).map(([folder, names]) => [folder, [...names].toSorted()]);
  expect(table.map(([folder, names]) => [folder, [...(names ?? [])].toSorted()])).toEqual(expected);
});

test("the storage folder is drawn as the code draws it, and every table of the index is described", () => {
  const drawn = /STORAGE\/\n([^]*?)\n *\*?\/?(```|\n| \*\/)/;
  const lines = (text: string): readonly string[] =>
    (drawn.exec(text)?.[1] ?? "").split("\n").map((line) => line.replace(/^ \* {5}/, "").trimEnd());
  const page = lines(read("docs/storage.md"));
  expect(page.length).toBeGreaterThan(5);
  expect(page).toEqual(lines(read("src/store/layout.ts").replace(/\n \*\/\n/, "\n```\n")));
  const tables = found(["src/store/sqlite/statements.ts"], /(?<=CREATE TABLE IF NOT EXISTS )\w+/g);
  expect(
    tableOf("docs/storage.md", "The index")
      .map(([name = ""]) => name)
      .toSorted(),
  ).toEqual([...tables]);
});

test("every dependency has its line, and no other", () => {
  const { dependencies, devDependencies } = JSON.parse(read("package.json")) as Record<string, Record<string, string>>;
  const listed = (heading: string): readonly string[] =>
    tableOf("docs/dependencies.md", heading)
      .flatMap(([cell = ""]) => cell.split(", "))
      .toSorted();
  expect(listed("At run time")).toEqual(Object.keys(dependencies ?? {}).toSorted());
  expect(listed("To work on it")).toEqual(Object.keys(devDependencies ?? {}).toSorted());
});

describe("tests that the documents name", () => {
  const named = docs.flatMap((page) =>
    [...read(page).matchAll(/`((?:src|test)\/[\w/.-]+\.test\.ts)`((?:,? "[^"\n]+")*)/g)].flatMap(
      ([, file = "", names = ""]) => [...names.matchAll(/"([^"]+)"/g)].map(([, name = ""]) => [file, name] as const),
    ),
  );

  test("there are some", () => expect(named.length).toBeGreaterThan(40));

  test.each(named)('%s has "%s"', (file, name) => {
    expect(tests).toContain(file);
    expect(read(file)).toContain(name);
  });

  test("the number of every threat and fault in a test is explained", () => {
    const numbers = found(
      tests.filter((file) => file !== "src/docs.test.ts"),
      /(?<=[( ,])[TF]\d{1,2}(?=[),: ])/g,
    );
    const explained = new Set(
      [tableOf("docs/security.md", "Threats, and the tests that show them"), tableOf("docs/faults.md")]
        .flat()
        .flatMap(([cell = ""]) => cell.split(", ")),
    );
    expect(numbers.length).toBeGreaterThan(15);
    expect(numbers.filter((number) => !explained.has(number))).toEqual([]);
  });
});

describe("folders", () => {
  const folders = readdirSync(import.meta.dir).filter((name) => statSync(join(import.meta.dir, name)).isDirectory());

  test.each(folders)("src/%s has a README of at most 40 lines", (folder) => {
    const text = read(`src/${folder}/README.md`);
    expect(text).toStartWith(`# ${folder}\n`);
    expect(text.split("\n").length - 1).toBeLessThanOrEqual(40);
  });

  test("the files that architecture names are there", () => {
    const files = found(["docs/architecture.md"], /(?<=`)(?:[a-z]+\/)+[\w./-]+\.ts(?=`)/g);
    const missing = files.filter((file) => !existsSync(join(root, file)) && !existsSync(join(root, "src", file)));
    expect(files.length).toBeGreaterThan(30);
    expect(missing).toEqual([]);
  });
});
