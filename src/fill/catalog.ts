import type { Asking } from "../copy/asking.ts";
import { allRepositories } from "../copy/catalog.ts";
import { parseRepository, type Repository } from "../reference/repository.ts";
import type { Answer } from "../registry/remote.ts";
import type { WritableRegistry } from "../registry/writable.ts";

/** Which repositories of a registry are meant. */
export interface CatalogWish {
  readonly registry: Pick<WritableRegistry, "host" | "listRepositories">;
  /** What the registry puts before the names that we have for its repositories; "" for nothing. */
  readonly path: string;
  /** At or below this, or "" for all. */
  readonly below: string;
}

/** Every repository that a registry lists, at or below a path. Absent: it has no such list. */
export async function repositoriesIn(
  asking: Asking,
  { registry, path, below }: CatalogWish,
): Promise<Answer<{ readonly repositories: readonly Repository[] }>> {
  const whom = { name: registry.host, place: undefined };
  const answer: Awaited<ReturnType<typeof allRepositories>> = await asking.ask(whom, (limits) =>
    allRepositories(registry, limits),
  );
  if (answer.kind !== "found") return answer;
  const repositories = answer.repositories.flatMap((name) => {
    const own = nameBelow(name, path);
    return own === undefined || nameBelow(own, below) === undefined ? [] : (parseRepository(own) ?? []);
  });
  return { kind: "found", repositories };
}

/** What of a name stands behind a path; "" for the path itself, the whole name behind no path. */
function nameBelow(name: string, path: string): string | undefined {
  if (path === "") return name;
  if (name === path) return "";
  return name.startsWith(`${path}/`) ? name.slice(path.length + 1) : undefined;
}
