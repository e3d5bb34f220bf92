import { matchesGlob } from "../reference/glob.ts";
import type { Repository, Tag } from "../reference/repository.ts";
import type { Action, Grant, Rule } from "./rule.ts";

/** Who asks, and where. */
export interface Asker {
  /** Absent: nobody in particular. */
  readonly user: string | undefined;
  /** Whether this registry has users at all. */
  readonly hasUsers: boolean;
  /** Whether it can be reached from this machine only. */
  readonly isOnLoopback: boolean;
}

/** What is to be done to a repository of our own. */
export interface Deed {
  readonly action: Action;
  readonly repository: Repository;
  /** Tags that are there and would be moved or taken away by it. */
  readonly tags: readonly Tag[];
}

/** Allowed, or allowed perhaps to somebody who logs in, or not. */
export type Right =
  | { readonly kind: "allowed" }
  | { readonly kind: "log-in" }
  | { readonly kind: "denied"; readonly reason: string };

const allowed: Right = { kind: "allowed" };
const logIn: Right = { kind: "log-in" };

/** Decides every reading and every change of our own repositories. Pure. */
export function rightOf(rule: Rule, asker: Asker, deed: Deed): Right {
  const { store, id } = rule;
  const grants = store?.grants ?? defaultGrants(asker);
  if (!grants.some((grant) => isGranted(grant, asker, deed))) {
    if (asker.hasUsers && asker.user === undefined) return logIn;
    return { kind: "denied", reason: `rule ${id} does not let ${nameOf(asker)} ${deed.action} in ${deed.repository}` };
  }
  const immutable = deed.tags.find((tag) => isImmutable(rule, tag));
  if (immutable === undefined) return allowed;
  return { kind: "denied", reason: `rule ${id} says that the tag ${immutable} of ${deed.repository} never changes` };
}

/** True when a rule never lets this tag change once it is there. */
export function isImmutable({ store }: Rule, tag: Tag): boolean {
  return store?.immutableTags.some((pattern) => matchesGlob(pattern, tag)) === true;
}

const everything: readonly Action[] = ["pull", "push", "delete"];

function defaultGrants({ hasUsers, isOnLoopback }: Asker): readonly Grant[] {
  if (hasUsers) return [{ users: ["*"], repositories: ["**"], actions: everything }];
  return [{ users: ["anonymous"], repositories: ["**"], actions: isOnLoopback ? everything : ["pull"] }];
}

/** Nobody in particular changes anything, but where nobody else could: on this machine, without users. */
function isGranted({ users, repositories, actions }: Grant, asker: Asker, { action, repository }: Deed): boolean {
  const isNamed = users.some((name) => isFor(name, asker, action));
  return isNamed && actions.includes(action) && repositories.some((pattern) => matchesGlob(pattern, repository));
}

function isFor(name: string, { user, hasUsers, isOnLoopback }: Asker, action: Action): boolean {
  if (name === "anonymous") return action === "pull" || (!hasUsers && isOnLoopback);
  return user !== undefined && (name === "*" || name === user);
}

function nameOf({ user }: Asker): string {
  return user === undefined ? "clients without a name" : `user ${user}`;
}
