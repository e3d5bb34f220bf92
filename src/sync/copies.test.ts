import { expect, test } from "bun:test";
import { formatProblem } from "../config/problem.ts";
import { formatReference } from "../reference/reference.ts";
import type { Repository, Tag } from "../reference/repository.ts";
import { copiesOf, type ImageCopy, knownCopies, settleCopies } from "./copies.ts";
import type { SyncEntry } from "./plan-input.ts";
import { inputOf } from "./testing/world.ts";

const digest = `sha256:${"0a".repeat(32)}`;

async function entries(text: string): Promise<readonly SyncEntry[]> {
  return (await inputOf({ text })).entries;
}

function pairs(copies: readonly ImageCopy[] | { readonly reason: string }): readonly string[] {
  if ("reason" in copies) return [copies.reason];
  return copies.map(({ source, target }) => `${formatReference(source)} -> ${formatReference(target)}`);
}

test.each([
  ["{ from: registry.k8s.io/pause:3.9, to: r.io/pause }", ["registry.k8s.io/pause:3.9 -> r.io/pause:3.9"]],
  ["{ from: registry.k8s.io/pause:3.9, to: r.io/pause:old }", ["registry.k8s.io/pause:3.9 -> r.io/pause:old"]],
  [`{ from: nginx@${digest}, to: r.io/**}`, [`docker.io/library/nginx@${digest} -> r.io/library/nginx@${digest}`]],
  [`{ from: nginx:1.27@${digest}, to: r.io/n}`, [`docker.io/library/nginx:1.27@${digest} -> r.io/n:1.27`]],
  [`{ from: nginx@${digest}, to: r.io/n:pinned}`, [`docker.io/library/nginx@${digest} -> r.io/n:pinned`]],
  [
    "{ from: quay.io/a/b, to: 'r.io/b:{tag}-x', tags: { list: [1.10, v2] } }",
    ["quay.io/a/b:1.10 -> r.io/b:1.10-x", "quay.io/a/b:v2 -> r.io/b:v2-x"],
  ],
  [
    "{ from: docker.io, to: r.io/hub/**, repositories: { list: [nginx, a/b] }, tags: { list: [1] } }",
    ["docker.io/library/nginx:1 -> r.io/hub/library/nginx:1", "docker.io/a/b:1 -> r.io/hub/a/b:1"],
  ],
  ["{ from: quay.io/a/b, to: r.io/b }", []],
  ["{ from: quay.io, to: r.io/**, tags: { list: [1] } }", []],
])("%s is known to copy %j", async (entry, expected) => {
  const [found] = await entries(`sync: [${entry}]`);
  expect(pairs(knownCopies(found!))).toEqual(expected);
});

test("a copy's tag must be one", async () => {
  const [entry] = await entries("sync: [{ from: quay.io/a/b, to: 'r.io/b:{tag}-mirrored' }]");
  expect(pairs(copiesOf(entry!, "a/b" as Repository, ["v".repeat(120) as Tag]))).toEqual([
    `"${"v".repeat(120)}-mirrored" is not a tag`,
  ]);
});

test("copies of a registry into itself do not grow with every run", async () => {
  const [entry] = await entries("sync: [{ from: r.io, to: r.io/mirror/** }]");
  expect(pairs(copiesOf(entry!, "a" as Repository, ["1" as Tag]))).toEqual(["r.io/a:1 -> r.io/mirror/a:1"]);
  expect(pairs(copiesOf(entry!, "mirror/a" as Repository, ["1" as Tag]))[0]).toStartWith(
    "mirror/a lies where the copies go",
  );
});

test("two sources on one target are a problem that names both; the same copy twice is one copy", async () => {
  const found = await entries(`sync:
  - { from: quay.io/a/x, to: r.io/x }
  - { from: quay.io/b/x, to: r.io/x }
  - { from: quay.io/a/x, to: r.io/x, schedule: 1h }
  - { from: quay.io/a/x, to: r.io/x, platform: linux/amd64 }
`);
  const copies = found.flatMap((entry) => {
    const repository = entry.source.kind === "repository" ? entry.source.repository : ("" as Repository);
    const made = copiesOf(entry, repository, ["1", "2"] as Tag[]);
    return "reason" in made ? [] : made;
  });
  const settled = settleCopies(copies);
  expect(pairs(settled.copies)).toEqual(["quay.io/a/x:1 -> r.io/x:1", "quay.io/a/x:2 -> r.io/x:2"]);
  expect(settled.problems.map(formatProblem)).toEqual([
    "sync.yaml:3:5: sync[1]: puts quay.io/b/x:1 at r.io/x:1, where sync[0] (sync.yaml:2) puts quay.io/a/x:1; nothing is copied until one of them goes elsewhere",
    "sync.yaml:3:5: sync[1]: puts quay.io/b/x:2 at r.io/x:2, where sync[0] (sync.yaml:2) puts quay.io/a/x:2; nothing is copied until one of them goes elsewhere",
    "sync.yaml:5:5: sync[3]: puts quay.io/a/x:1 with other platforms at r.io/x:1, where sync[0] (sync.yaml:2) puts quay.io/a/x:1; nothing is copied until one of them goes elsewhere",
    "sync.yaml:5:5: sync[3]: puts quay.io/a/x:2 with other platforms at r.io/x:2, where sync[0] (sync.yaml:2) puts quay.io/a/x:2; nothing is copied until one of them goes elsewhere",
  ]);
});
