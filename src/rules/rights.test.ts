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

interface Case {
  readonly who: Asker;
  readonly action: Action;
  readonly repository: string;
  readonly granted: readonly Grant[] | undefined;
  readonly is: string;
}

test.each<[string, Case]>([
  [
    "anybody pulls what is public",
    { who: nobody, action: "pull", repository: "public/a/b", granted: grants, is: "allowed" },
  ],
  ["nobody pulls the rest", { who: nobody, action: "pull", repository: "team/app", granted: grants, is: "log-in" }],
  [
    "every user pulls the rest",
    { who: asker("eve"), action: "pull", repository: "team/app", granted: grants, is: "allowed" },
  ],
  [
    "a user who may push does",
    { who: asker("ci"), action: "push", repository: "team/app", granted: grants, is: "allowed" },
  ],
  ["but not deeper", { who: asker("ci"), action: "push", repository: "team/app/web", granted: grants, is: "denied" }],
  ["nor delete", { who: asker("ci"), action: "delete", repository: "team/app", granted: grants, is: "denied" }],
  [
    "another does not push",
    { who: asker("eve"), action: "push", repository: "team/app", granted: grants, is: "denied" },
  ],
  [
    "nobody pushes where there are users",
    { who: nobody, action: "push", repository: "open/app", granted: grants, is: "log-in" },
  ],
  [
    "nor on this machine, where there are users",
    { who: { ...nobody, isOnLoopback: true }, action: "push", repository: "open/app", granted: grants, is: "log-in" },
  ],
  [
    "with or without grants",
    { who: { ...nobody, isOnLoopback: true }, action: "pull", repository: "a", granted: undefined, is: "log-in" },
  ],
  ["nor where the network could", { who: open, action: "push", repository: "open/app", granted: grants, is: "denied" }],
  [
    "nobody else is on this machine",
    { who: local, action: "push", repository: "open/app", granted: grants, is: "allowed" },
  ],
  [
    "without grants users do all",
    { who: asker("eve"), action: "delete", repository: "a", granted: undefined, is: "allowed" },
  ],
  ["and others nothing", { who: nobody, action: "pull", repository: "a", granted: undefined, is: "log-in" }],
  ["without users everybody pulls", { who: open, action: "pull", repository: "a", granted: undefined, is: "allowed" }],
  [
    "and nobody pushes over the network",
    { who: open, action: "push", repository: "a", granted: undefined, is: "denied" },
  ],
  ["but on this machine", { who: local, action: "push", repository: "a", granted: undefined, is: "allowed" }],
])("%s", (_, { who, action, repository, granted, is }) => {
  const right = rightOf(rule(granted), who, { action, repository: repository as Repository, tags: [] });
  expect<string>(right.kind).toBe(is);
});

test("a tag that never changes is named", () => {
  const deed = { action: "push" as const, repository: "a" as Repository, tags: ["latest" as Tag, "v1" as Tag] };
  expect(rightOf(rule(undefined, ["v*"]), local, deed)).toEqual({
    kind: "denied",
    reason: "rule own says that the tag v1 of a never changes",
  });
  expect(rightOf(rule(undefined, ["v2*"]), local, deed).kind).toBe("allowed");
});
