import { expect, test } from "bun:test";
import { down } from "../copy/testing/fake-registry.ts";
import { testRun } from "../copy/testing/world.ts";
import { parseHost } from "../reference/host.ts";
import type { Answer, Page } from "../registry/remote.ts";
import { repositoriesIn } from "./catalog.ts";

function page(text: string, nextQuery?: string): Answer<Page> {
  const bytes = new TextEncoder().encode(text);
  return { kind: "found", bytes, mediaType: "application/json", nextQuery, filtersApplied: undefined };
}

async function catalog(pages: readonly Answer<Page>[], { path = "", below = "" } = {}): Promise<unknown> {
  const host = parseHost("registry.test");
  if (host === undefined) throw new Error("no host");
  let asked = 0;
  const registry = {
    host,
    listRepositories: async (): Promise<Answer<Page>> => pages[asked++] ?? { kind: "absent" },
  };
  const answer = await repositoriesIn(testRun().parts.asking, { registry, path, below });
  return answer.kind === "found" ? answer.repositories : answer.kind;
}

const two = [
  page('{"repositories":["a","team/a"]}', "n=1000&last=a"),
  page('{"repositories":["team/b","teams/c","UPPER"]}'),
];

test.each<[string, object, readonly string[]]>([
  ["all of it, page by page, without what is no name", {}, ["a", "team/a", "team/b", "teams/c"]],
  ["what is below a path", { below: "team" }, ["team/a", "team/b"]],
  ["one repository", { below: "team/b" }, ["team/b"]],
  ["under our own names", { path: "team" }, ["a", "b"]],
  ["under our own names and below a path", { path: "team", below: "b" }, ["b"]],
])("%s", async (_, wish, repositories) => {
  expect(await catalog(two, wish)).toEqual(repositories);
});

test.each<[string, readonly Answer<Page>[], string]>([
  ["none", [{ kind: "absent" }], "absent"],
  ["a second page that fails", [page('{"repositories":["a"]}', "last=a"), down("failed", 500)], "unavailable"],
  ["no list", [page('{"repositories":7}')], "unavailable"],
  ["no JSON", [page("<html>")], "unavailable"],
])("%s", async (_, pages, kind) => {
  expect(await catalog(pages)).toBe(kind);
});

test("an empty catalog", async () => {
  expect(await catalog([page('{"repositories":null}')])).toEqual([]);
});
