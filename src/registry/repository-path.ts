import type { Upstream } from "../config/settings.ts";
import type { Repository } from "../reference/repository.ts";

/** How one repository of an upstream is addressed there. */
export interface RepositoryPlace {
  /** `/v2/PATH/NAME`, no trailing slash. */
  readonly path: string;
  /** The token scope to pull from it. */
  readonly scope: string;
}

/** Where a repository is at its upstream, whose `path` stands before every name. */
export function placeOf(upstream: Upstream, repository: Repository): RepositoryPlace {
  const name = upstream.path === "" ? repository : `${upstream.path}/${repository}`;
  return { path: `/v2/${name}`, scope: `repository:${name}:pull` };
}
