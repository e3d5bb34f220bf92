import type { Asked } from "../copy/asking.ts";
import { allRepositories } from "../copy/catalog.ts";
import type { RunParts } from "../copy/parts.ts";
import type { RegistryHost } from "../reference/host.ts";
import { parseRepository, type Repository, type Tag } from "../reference/repository.ts";
import type { Answer } from "../registry/remote.ts";
import type { Ends } from "./ends.ts";

type Catalog = Answer<{ readonly repositories: readonly Repository[] }>;

/** The lists that a job chooses from, each asked for once. */
export class Lists {
  readonly #parts: RunParts;
  readonly #ends: Ends;
  readonly #catalogs = new Map<RegistryHost, Promise<Catalog>>();

  constructor(parts: RunParts, ends: Ends) {
    this.#parts = parts;
    this.#ends = ends;
  }

  /** Every repository of a registry, by the names that people use. Absent: it has no such list. */
  repositories(host: RegistryHost): Promise<Catalog> {
    const asked = this.#catalogs.get(host) ?? this.#catalog(host);
    this.#catalogs.set(host, asked);
    return asked;
  }

  /** Every tag of a repository. */
  async tags(host: RegistryHost, repository: Repository): Promise<Answer<{ readonly tags: readonly Tag[] }>> {
    return await this.#parts.tags.list(await this.#ends.of(host, repository));
  }

  async #catalog(host: RegistryHost): Promise<Catalog> {
    const { registries } = this.#ends;
    const registry = await registries.of(host);
    const whom: Asked = { name: host, place: undefined };
    const answer = await this.#parts.asking.ask<Catalog>(whom, (limits) => allRepositories(registry, limits));
    if (answer.kind !== "found") return answer;
    const before = await registries.pathOf(host);
    return { kind: "found", repositories: answer.repositories.flatMap((name) => withoutPath(name, before) ?? []) };
  }
}

function withoutPath(name: Repository, path: string): Repository | undefined {
  if (path === "") return name;
  return name.startsWith(`${path}/`) ? parseRepository(name.slice(path.length + 1)) : undefined;
}
