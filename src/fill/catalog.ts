import type { Asking } from "../copy/asking.ts";
import { parseRepository, type Repository } from "../reference/repository.ts";
import type { Answer, Page } from "../registry/remote.ts";
import { unavailable } from "../registry/unavailable.ts";
import type { WritableRegistry } from "../registry/writable.ts";

const pagesMax = 10_000;
const firstQuery = "n=1000";

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
  const found = new Set<Repository>();
  const whom = { name: registry.host, place: undefined };
  let query = firstQuery;
  for (let count = 0; count < pagesMax; count++) {
    const page: Answer<Page> = await asking.ask(whom, (limits) => registry.listRepositories(query, limits));
    if (page.kind !== "found") return page;
    const names = namesOf(page.bytes);
    if (names === undefined)
      return unavailable("refused", `the catalog of ${registry.host} is not written as it should be`);
    for (const name of names) {
      const own = nameBelow(name, path);
      const repository = own === undefined || nameBelow(own, below) === undefined ? undefined : parseRepository(own);
      if (repository !== undefined) found.add(repository);
    }
    if (page.nextQuery === undefined) return { kind: "found", repositories: [...found] };
    query = page.nextQuery;
  }
  return unavailable("refused", `the catalog of ${registry.host} has more than ${pagesMax} pages`);
}

/** What of a name stands behind a path; "" for the path itself, the whole name behind no path. */
function nameBelow(name: string, path: string): string | undefined {
  if (path === "") return name;
  if (name === path) return "";
  return name.startsWith(`${path}/`) ? name.slice(path.length + 1) : undefined;
}

function namesOf(bytes: Uint8Array): readonly string[] | undefined {
  try {
    const list: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof list !== "object" || list === null || !("repositories" in list)) return undefined;
    const { repositories } = list;
    if (repositories === null) return [];
    if (!Array.isArray(repositories)) return undefined;
    return repositories.filter((name: unknown) => typeof name === "string");
  } catch {
    return undefined;
  }
}
