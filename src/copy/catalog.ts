import { parseRepository, type Repository } from "../reference/repository.ts";
import type { Answer, CallLimits } from "../registry/remote.ts";
import type { WritableRegistry } from "../registry/writable.ts";
import { eachPage } from "./pages.ts";

/** Every repository that a registry lists, by its own names; all of them or no knowledge. What no name can be is left out. */
export async function allRepositories(
  registry: Pick<WritableRegistry, "host" | "listRepositories">,
  limits: CallLimits,
): Promise<Answer<{ readonly repositories: readonly Repository[] }>> {
  const repositories = new Set<Repository>();
  const pages = await eachPage(
    (query) => registry.listRepositories(query, limits),
    ({ bytes }) => {
      const names = namesOf(bytes);
      for (const name of names ?? []) repositories.add(name);
      return names !== undefined;
    },
    `the list of repositories of ${registry.host}`,
  );
  return pages.kind === "found" ? { kind: "found", repositories: [...repositories] } : pages;
}

function namesOf(bytes: Uint8Array): readonly Repository[] | undefined {
  try {
    const list: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof list !== "object" || list === null || !("repositories" in list)) return undefined;
    const { repositories } = list;
    if (repositories === null) return [];
    if (!Array.isArray(repositories)) return undefined;
    return repositories.flatMap((name: unknown) => (typeof name === "string" ? (parseRepository(name) ?? []) : []));
  } catch {
    return undefined;
  }
}
