import { type CredentialWorld, credentialSource } from "../../config/credentials.ts";
import type { Upstream } from "../../config/settings.ts";
import { Failure } from "../../errors/failure.ts";
import type { RegistryHost } from "../../reference/host.ts";
import { createRemoteRegistry } from "../../registry/client.ts";
import type { RemoteRegistry } from "../../registry/remote.ts";

interface Pooled {
  readonly upstream: Upstream;
  readonly registry: RemoteRegistry;
}

/** One client for each upstream, with its tokens, budget and breaker; kept over a reload when the upstream is the same. */
export class RegistryPool {
  readonly #world: CredentialWorld;
  #upstreams: ReadonlyMap<RegistryHost, Upstream> = new Map();
  readonly #pooled = new Map<RegistryHost, Pooled>();

  constructor(world: CredentialWorld) {
    this.#world = world;
  }

  update(upstreams: ReadonlyMap<RegistryHost, Upstream>): void {
    this.#upstreams = upstreams;
    for (const [host, { upstream }] of this.#pooled) {
      if (!Bun.deepEquals(upstreams.get(host), upstream)) this.#pooled.delete(host);
    }
  }

  /** The client of a known registry. */
  of(host: RegistryHost): RemoteRegistry {
    const pooled = this.#pooled.get(host);
    if (pooled !== undefined) return pooled.registry;
    const upstream = this.#upstreams.get(host);
    if (upstream === undefined)
      throw new Failure({ code: "NAME_UNKNOWN", message: `${host} is no registry that is known here` });
    const registry = createRemoteRegistry({ upstream, credentials: credentialSource(upstream, this.#world) });
    this.#pooled.set(host, { upstream, registry });
    return registry;
  }
}
