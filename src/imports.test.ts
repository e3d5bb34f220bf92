import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { mayImport, pure } from "./imports.fixture.ts";

const root = import.meta.dir;

const sources = [...new Bun.Glob("**/*.ts").scanSync(root)].filter((file) => !isTestFile(file));

function isTestFile(file: string): boolean {
  return /\.test\.ts$|\.fixture\.ts$|\/testing\/|test-[a-z]+\.ts$|\/faults\//.test(file);
}

function importsOf(file: string): readonly string[] {
  const text = readFileSync(join(root, file), "utf8");
  return [...text.matchAll(/^(?:import|export)\b[^;]*?\bfrom "([^"]+)"|^import "([^"]+)"|\bimport\("([^"]+)"\)/gm)].map(
    (match) => match[1] ?? match[2] ?? match[3] ?? "",
  );
}

function folderOf(file: string): string {
  return file.split("/", 1)[0] ?? "";
}

/** What an import names in the table: a folder of ours, a package, or nothing for what every folder may use. */
function named(file: string, specifier: string): string | undefined {
  if (specifier.startsWith("node:") || specifier.startsWith("bun:") || specifier.endsWith("package.json"))
    return undefined;
  if (!specifier.startsWith(".")) return specifier;
  const target = folderOf(relative(root, join(root, dirname(file), specifier)));
  return target === folderOf(file) ? undefined : target;
}

test("the table knows every folder, and the reader of imports reads them", () => {
  expect([...new Set(sources.map(folderOf))].toSorted()).toEqual(Object.keys(mayImport).toSorted());
  expect(sources.flatMap(importsOf).length).toBeGreaterThan(sources.length);
});

test.each(sources)("%s imports only what its folder may", (file) => {
  const allowed = mayImport[folderOf(file)] ?? [];
  const others = importsOf(file).flatMap((specifier) => named(file, specifier) ?? []);
  expect(others.filter((name) => !allowed.includes(name))).toEqual([]);
});

test.each(sources.filter((file) => pure.has(folderOf(file))))("%s is pure", (file) => {
  const text = readFileSync(join(root, file), "utf8");
  expect(importsOf(file).filter((specifier) => /^(node|bun):/.test(specifier))).toEqual([]);
  expect(text.match(/\b(Bun|process|fetch|setTimeout|Date)\b[.(]/g) ?? []).toEqual([]);
});

test("the table allows nothing that nobody uses", () => {
  for (const [folder, allowed] of Object.entries(mayImport)) {
    const used = new Set(
      sources
        .filter((file) => folderOf(file) === folder)
        .flatMap((file) => importsOf(file).map((specifier) => named(file, specifier))),
    );
    expect([folder, allowed.filter((name) => !used.has(name))]).toEqual([folder, []]);
  }
});
