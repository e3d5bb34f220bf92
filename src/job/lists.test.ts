import { expect, test } from "bun:test";
import { FakeRegistry } from "../copy/testing/fake-registry.ts";
import { manifest } from "../copy/testing/images.ts";
import { testRun } from "../copy/testing/world.ts";
import { parseHost } from "../reference/host.ts";
import { repository, tag } from "../registry/testing/content.ts";
import type { WritableRegistry } from "../registry/writable.ts";
import { Ends } from "./ends.ts";
import { Lists } from "./lists.ts";

const host = parseHost("a.test")!;
const encode = (names: readonly unknown[]): Uint8Array<ArrayBuffer> =>
  new TextEncoder().encode(JSON.stringify({ repositories: names }));

/** Lists of a registry whose catalog has these pages. */
function listsOf(pages: readonly (readonly unknown[])[], path = ""): { readonly lists: Lists; asked: () => number } {
  let asked = 0;
  const client = {
    host,
    listRepositories: () => {
      const at = asked++;
      const nextQuery = at + 1 < pages.length ? `n=1000&last=${at}` : undefined;
      const bytes = encode(pages[at] ?? []);
      return Promise.resolve({
        kind: "found",
        bytes,
        nextQuery,
        mediaType: "application/json",
        filtersApplied: undefined,
      });
    },
  };
  // As much of a client as catalogs take.
  const registry = client as unknown as WritableRegistry;
  const ends = new Ends({ of: () => Promise.resolve(registry), pathOf: () => Promise.resolve(path) });
  return { lists: new Lists(testRun().parts, ends), asked: () => asked };
}

test("a catalog page by page, once; what no name can be is left out", async () => {
  const { lists, asked } = listsOf([
    ["a", "b/c", 7],
    ["UPPER", "a"],
  ]);
  const names = ["a", "b/c"].map((name) => repository(name));
  expect(await lists.repositories(host)).toEqual({ kind: "found", repositories: names });
  await lists.repositories(host);
  expect(asked()).toBe(2);
});

test("below a path, names are those that people use", async () => {
  const { lists } = listsOf([["proxy/a", "proxy/b/c", "other/a", "proxyx/a"]], "proxy");
  expect(await lists.repositories(host)).toMatchObject({ repositories: ["a", "b/c"] });
});

test("tags are listed once, whoever asks, by the one end of their repository", async () => {
  const fake = new FakeRegistry("a.test");
  fake.hold("x", [], { v1: manifest({ layers: [] }) });
  const end = fake.end("x");
  const client = { host } as unknown as WritableRegistry;
  const ends = new Ends({ of: () => Promise.resolve(client), pathOf: () => Promise.resolve("") }, () => end);
  const { parts } = testRun();
  const lists = new Lists(parts, ends);
  expect(await lists.tags(host, repository("x"))).toMatchObject({ kind: "found", tags: ["v1"] });
  expect(await parts.tags.of(end)).toEqual(new Set([tag("v1")]));
  expect(fake.count("TAGS")).toBe(1);
});
