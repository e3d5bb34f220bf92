import { expect, test } from "bun:test";
import type { Repository } from "../reference/repository.ts";
import { chooseRepositories, needsCatalog } from "./repositories.ts";
import { inputOf } from "./testing/world.ts";

const available = "pause kube-proxy kube-scheduler ingress/controller ingress/nginx".split(" ") as Repository[];

async function choose(repositories: string, from: readonly Repository[] | undefined): Promise<string> {
  const { entries } = await inputOf({ text: `sync: [{ from: registry.k8s.io, to: r.io/**${repositories} }]` });
  const source = entries[0]!.source;
  if (source.kind !== "registry") throw new Error("no registry");
  expect(needsCatalog(source.repositories)).toBe(from !== undefined);
  const chosen = chooseRepositories(source.repositories, from);
  if (chosen.kind === "nothing") return `nothing: ${chosen.reason}`;
  return [...chosen.names, ...chosen.absent.map((name) => `-${name}`)].join(" ");
}

test.each([
  ["", available.join(" ")],
  [", repositories: { match: ^kube- }", "kube-proxy kube-scheduler"],
  [", repositories: { match: [^kube-, pause] }", "pause kube-proxy kube-scheduler"],
  [", repositories: { skip: [ingress/**, '*-proxy'] }", "pause kube-scheduler"],
  [", repositories: { skip: ['**'], list: [pause, gone] }", "pause -gone"],
  [", repositories: { match: nothing }", "nothing: none of its 5 repositories is meant"],
])("of the registry's list, %j chooses %s", async (repositories, expected) => {
  expect(await choose(repositories, available)).toBe(expected);
});

test("a list alone needs no list of the registry's", async () => {
  expect(await choose(", repositories: { list: [pause, b, pause] }", undefined)).toBe("pause b");
  expect(await choose(", repositories: { list: [] }", undefined)).toBe("nothing: no repositories are listed");
});

test("a registry that lists nothing is said to", async () => {
  expect(await choose("", [])).toBe("nothing: the registry lists no repositories");
});
