import { defaultUrl, namedUpstream } from "../../config/named-upstream.ts";
import type { Upstream } from "../../config/settings.ts";
import type { Registries } from "../../job/ends.ts";
import type { RegistryHost } from "../../reference/host.ts";
import { createWritableRegistry } from "../../registry/client.ts";
import type { WritableRegistry } from "../../registry/writable.ts";
import type { SyncPlanInput } from "../../sync/plan-input.ts";
import type { RegistryAccess } from "../../sync/plan-input.ts";
import { registryCredentials } from "../../sync/registries.ts";
import type { CopyIo } from "../copy/io.ts";
import { urlOf } from "../copy/reach.ts";
import { placesFor } from "./room.ts";

/** The registries of a sync file: reached, logged in to and spared as it says. Clients last as long as this. */
export class FileRegistries implements Registries {
  readonly #io: CopyIo;
  readonly #input: SyncPlanInput;
  readonly #isInsecure: boolean;
  readonly #accesses = new Map<RegistryHost, Promise<RegistryAccess>>();
  readonly #clients = new Map<RegistryHost, Promise<WritableRegistry>>();

  constructor(io: CopyIo, input: SyncPlanInput, isInsecure: boolean) {
    this.#io = io;
    this.#input = input;
    this.#isInsecure = isInsecure;
  }

  of(host: RegistryHost): Promise<WritableRegistry> {
    const client = this.#clients.get(host) ?? this.#create(host);
    this.#clients.set(host, client);
    return client;
  }

  async pathOf(host: RegistryHost): Promise<string> {
    return (await this.#access(host)).upstream.path;
  }

  async #create(host: RegistryHost): Promise<WritableRegistry> {
    const access = await this.#access(host);
    const { env, readFile, clock } = this.#io;
    const world = { env, readFile, nowMs: () => clock.nowMs(), helperTimeoutMs: 30_000 };
    return createWritableRegistry({ upstream: access.upstream, credentials: registryCredentials(access, world) });
  }

  #access(host: RegistryHost): Promise<RegistryAccess> {
    const access = this.#accesses.get(host) ?? this.#find(host);
    this.#accesses.set(host, access);
    return access;
  }

  /** A backup may be kept at a registry that the file does not name by itself. */
  async #find(host: RegistryHost): Promise<RegistryAccess> {
    const access = this.#input.registries.get(host);
    if (access === undefined) {
      const { env } = this.#io;
      const reach = { url: await urlOf(host, this.#isInsecure, this.#io), isInsecure: this.#isInsecure, env };
      return { upstream: namedUpstream(host, reach), login: undefined, triesPlainHttp: false };
    }
    return { ...access, upstream: await this.#reached(access) };
  }

  /** What the file says of the way stands; without it this machine, and what may be insecure, is asked what it speaks. */
  async #reached({ upstream, triesPlainHttp }: RegistryAccess): Promise<Upstream> {
    const { host, budget, insecure } = upstream;
    const concurrent = placesFor(this.#input, host, budget.concurrent);
    const roomy: Upstream = { ...upstream, budget: { ...budget, concurrent } };
    if (upstream.url !== defaultUrl(host)) return roomy;
    const mayBePlain = this.#isInsecure || triesPlainHttp;
    const url = await urlOf(host, mayBePlain, this.#io);
    return { ...roomy, url, insecure: insecure || this.#isInsecure, mayBePrivate: upstream.mayBePrivate || mayBePlain };
  }
}
