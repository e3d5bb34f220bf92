import { expect, test } from "bun:test";
import type { Repository, Tag } from "../reference/repository.ts";
import { type Asker, rightOf } from "./rights.ts";
import type { Action, Grant, Rule } from "./rule.ts";

const rule = (grants: readonly Grant[] | undefined, immutableTags: readonly string[] = []): Rule => ({
  id: "own",
  origin: { kind: "default" },
  match: { kind: "rest" },
  upstream: undefined,
  serve: "store",
  freshForMs: 0,
  serveStaleForMs: 0,
  maxSizeBytes: undefined,
  store: { grants, immutableTags },
});
const grants: readonly Grant[] = [
  { users: ["anonymous"], repositories: ["public/**"], actions: ["pull"] },
  { users: ["*"], repositories: ["**"], actions: ["pull"] },
  { users: ["ci"], repositories: ["team/*"], actions: ["push"] },
  { users: ["anonymous"], repositories: ["open/*"], actions: ["push"] },
];
const nobody: Asker = { user: undefined, hasUsers: true, isOnLoopback: false };
const asker = (user: string): Asker => ({ ...nobody, user });
const open: Asker = { user: undefined, hasUsers: false, isOnLoopback: false };
const local: Asker = { ...open, isOnLoopback: true };

test.each<[string, Asker, Action, string, readonly Grant[] | undefined, string]>([
  ["anybody pulls what is public", nobody, "pull", "public/a/b", grants, "allowed"],
  ["nobody pulls the rest", nobody, "pull", "team/app", grants, "log-in"],
  ["every user pulls the rest", asker("eve"), "pull", "team/app", grants, "allowed"],
  ["a user who may push does", asker("ci"), "push", "team/app", grants, "allowed"],
  ["but not deeper", asker("ci"), "push", "team/app/web", grants, "denied"],
  ["nor delete", asker("ci"), "delete", "team/app", grants, "denied"],
  ["another does not push", asker("eve"), "push", "team/app", grants, "denied"],
  ["nobody pushes where there are users", nobody, "push", "open/app", grants, "log-in"],
  ["nor where the network could", open, "push", "open/app", grants, "denied"],
  ["nobody else is on this machine", local, "push", "open/app", grants, "allowed"],
  ["without grants users do all", asker("eve"), "delete", "a", undefined, "allowed"],
  ["and others nothing", nobody, "pull", "a", undefined, "log-in"],
  ["without users everybody pulls", open, "pull", "a", undefined, "allowed"],
  ["and nobody pushes over the network", open, "push", "a", undefined, "denied"],
  ["but on this machine", local, "push", "a", undefined, "allowed"],
])("%s", (_, who, action, repository, granted, expected) => {
  const right = rightOf(rule(granted), who, { action, repository: repository as Repository, tags: [] });
  expect<string>(right.kind).toBe(expected);
});

test("a tag that never changes is named", () => {
  const deed = { action: "push" as const, repository: "a" as Repository, tags: ["latest" as Tag, "v1" as Tag] };
  expect(rightOf(rule(undefined, ["v*"]), local, deed)).toEqual({
    kind: "denied",
    reason: "rule own says that the tag v1 of a never changes",
  });
  expect(rightOf(rule(undefined, ["v2*"]), local, deed).kind).toBe("allowed");
});
