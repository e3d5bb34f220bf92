import type { Upstream } from "../config/settings.ts";
import type { Repository } from "../reference/repository.ts";

/** How one repository of an upstream is addressed there. */
export interface RepositoryPlace {
  /** Its name there: `PATH/NAME`. */
  readonly name: string;
  /** `/v2/PATH/NAME`, no trailing slash. */
  readonly path: string;
  /** The token scope to pull from it. */
  readonly scope: string;
}

/** Where a repository is at its upstream, whose `path` stands before every name. */
export function placeOf(upstream: Upstream, repository: Repository): RepositoryPlace {
  const name = upstream.path === "" ? repository : `${upstream.path}/${repository}`;
  return { name, path: `/v2/${name}`, scope: `repository:${name}:pull` };
}

/** The token scope to push to a repository, and to pull from another one what is mounted from there. */
export function pushScope({ name }: RepositoryPlace, mountFrom?: RepositoryPlace): string {
  const own = `repository:${name}:pull,push`;
  return mountFrom === undefined ? own : `${own} ${mountFrom.scope}`;
}

/** The token scope to delete from a repository. */
export function deleteScope({ name }: RepositoryPlace): string {
  return `repository:${name}:delete`;
}
