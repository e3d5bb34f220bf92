import { namedUpstream, roomy } from "../../config/named-upstream.ts";
import type { Upstream } from "../../config/settings.ts";
import { Failure } from "../../errors/failure.ts";
import type { RegistryHost } from "../../reference/host.ts";
import { createWritableRegistry } from "../../registry/client.ts";
import type { WritableRegistry } from "../../registry/writable.ts";
import { RegistryPool } from "../serve/registries.ts";
import type { CopyIo } from "./io.ts";
import { urlOf } from "./reach.ts";

/** What every command that speaks to registries may be told. */
export interface ReachFlags {
  readonly config?: string;
  readonly insecure?: boolean;
}

/** The registries that a command names: as the configuration file has them, else under their own names with docker's logins. */
export class NamedRegistries {
  readonly #io: CopyIo;
  readonly #flags: ReachFlags;
  readonly #pool: RegistryPool<WritableRegistry>;
  readonly #upstreams = new Map<RegistryHost, Promise<Upstream>>();
  readonly #known = new Map<RegistryHost, Upstream>();
  #configured: Promise<ReadonlyMap<RegistryHost, Upstream>> | undefined;

  constructor(io: CopyIo, flags: ReachFlags) {
    this.#io = io;
    this.#flags = flags;
    const { env, readFile, clock } = io;
    const world = { env, readFile, nowMs: () => clock.nowMs(), helperTimeoutMs: 30_000 };
    this.#pool = new RegistryPool(world, createWritableRegistry);
  }

  /** The client of a registry. Throws a `Failure` when the configuration file is not valid. */
  async of(host: RegistryHost): Promise<WritableRegistry> {
    this.#known.set(host, await this.upstream(host));
    this.#pool.update(new Map(this.#known));
    return this.#pool.of(host);
  }

  /** How a registry is reached. */
  upstream(host: RegistryHost): Promise<Upstream> {
    const found = this.#upstreams.get(host) ?? this.#find(host);
    this.#upstreams.set(host, found);
    return found;
  }

  async #find(host: RegistryHost): Promise<Upstream> {
    this.#configured ??= this.#read();
    const configured = (await this.#configured).get(host);
    if (configured !== undefined) return roomy(configured);
    const { env } = this.#io;
    const isInsecure = this.#flags.insecure === true;
    return namedUpstream(host, { url: await urlOf(host, isInsecure, this.#io), isInsecure, env });
  }

  async #read(): Promise<ReadonlyMap<RegistryHost, Upstream>> {
    const { config: file } = this.#flags;
    return file === undefined ? new Map() : await configuredUpstreams(file, this.#io);
  }
}

/** What reads configuration files is much, and loaded only when there is one. */
async function configuredUpstreams(
  file: string,
  { env, cwd, readFile }: CopyIo,
): Promise<ReadonlyMap<RegistryHost, Upstream>> {
  const { loadSettings } = await import("../../config/load.ts");
  const loaded = await loadSettings({ file, env, cwd, readFile });
  if (loaded.kind === "loaded") return loaded.settings.upstreams;
  const { formatProblem } = await import("../../config/problem.ts");
  throw new Failure({ code: "CONFIG_INVALID", message: loaded.problems.map(formatProblem).join("\n") });
}
