import type { RegistryHost } from "../reference/host.ts";

/** Which requests a rule is for. All parts that are given must hold. */
export type Match =
  | { readonly kind: "rest" }
  /** A plain name: `?ns=` of that name, or `Host` of that name, or that name as the first segments of the path. */
  | { readonly kind: "name"; readonly name: RegistryHost }
  | {
      readonly kind: "parts";
      readonly host: RegistryHost | undefined;
      readonly ns: RegistryHost | undefined;
      /** Whole segments; taken off the path before it becomes the repository. */
      readonly prefix: string | undefined;
    };

/** Where a rule was written, so that messages and answers can say so. */
export type RuleOrigin =
  | { readonly kind: "default" }
  | { readonly kind: "file"; readonly file: string; readonly line: number };

/** What is done with what matched: sent on, kept a copy of, or held here as our own. */
type Serve = "redirect" | "cache" | "store";

/** What somebody does to a repository of our own. */
export type Action = "pull" | "push" | "delete";

/** Who may do what in which of our own repositories. */
export interface Grant {
  /** Names of users; `*` is every user, `anonymous` is everybody. */
  readonly users: readonly string[];
  /** Globs of repository names. */
  readonly repositories: readonly string[];
  readonly actions: readonly Action[];
}

/** What holds for our own repositories under a rule. */
export interface StoreTerms {
  /** Absent: users may do everything; where there are no users, everybody may pull and, on loopback, do everything. */
  readonly grants: readonly Grant[] | undefined;
  /** Globs of tags that are never moved or taken away once they are there. */
  readonly immutableTags: readonly string[];
}

/** One row of the one table that requests, references and copies are decided by. */
export interface Rule {
  readonly id: string;
  readonly origin: RuleOrigin;
  readonly match: Match;
  /** The registry that answers; under `rest`, absent means that the name itself says which. */
  readonly upstream: RegistryHost | undefined;
  readonly serve: Serve;
  readonly freshForMs: number;
  readonly serveStaleForMs: number;
  readonly maxSizeBytes: number | undefined;
  /** For `store` alone. */
  readonly store?: StoreTerms;
}

/** How a rule's match reads in messages. */
export function describeMatch(match: Match): string {
  switch (match.kind) {
    case "rest":
      return "*";
    case "name":
      return match.name;
    case "parts":
      return Object.entries({ ns: match.ns, host: match.host, prefix: match.prefix })
        .flatMap(([key, value]) => (value === undefined ? [] : [`${key} ${value}`]))
        .join(", ");
  }
}
