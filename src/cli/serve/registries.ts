import { type CredentialWorld, credentialSource } from "../../config/credentials.ts";
import type { Upstream } from "../../config/settings.ts";
import { Failure } from "../../errors/failure.ts";
import type { RegistryHost } from "../../reference/host.ts";
import type { RemoteRegistryOptions } from "../../registry/client.ts";
import type { RemoteRegistry } from "../../registry/remote.ts";

interface Pooled<R> {
  readonly upstream: Upstream;
  readonly registry: R;
}

/** One client for each upstream, with its tokens, budget and breaker; kept over a reload when the upstream is the same. */
export class RegistryPool<R extends RemoteRegistry = RemoteRegistry> {
  readonly #world: CredentialWorld;
  readonly #create: (options: RemoteRegistryOptions) => R;
  #upstreams: ReadonlyMap<RegistryHost, Upstream> = new Map();
  readonly #pooled = new Map<RegistryHost, Pooled<R>>();

  /** `create` makes clients that only pull, or that push as well. */
  constructor(world: CredentialWorld, create: (options: RemoteRegistryOptions) => R) {
    this.#world = world;
    this.#create = create;
  }

  update(upstreams: ReadonlyMap<RegistryHost, Upstream>): void {
    this.#upstreams = upstreams;
    for (const [host, { upstream }] of this.#pooled) {
      if (!Bun.deepEquals(upstreams.get(host), upstream)) this.#pooled.delete(host);
    }
  }

  /** The client of a known registry. */
  of(host: RegistryHost): R {
    const pooled = this.#pooled.get(host);
    if (pooled !== undefined) return pooled.registry;
    const upstream = this.#upstreams.get(host);
    if (upstream === undefined)
      throw new Failure({ code: "NAME_UNKNOWN", message: `${host} is no registry that is known here` });
    const registry = this.#create({ upstream, credentials: credentialSource(upstream, this.#world) });
    this.#pooled.set(host, { upstream, registry });
    return registry;
  }
}
