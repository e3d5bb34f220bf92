import type { ImageSource, ImageTarget } from "../copy/ends.ts";
import { registryEnd } from "../copy/registry-end.ts";
import type { RegistryHost } from "../reference/host.ts";
import type { Repository } from "../reference/repository.ts";
import type { WritableRegistry } from "../registry/writable.ts";

/** A repository to copy from and to. */
export type RepositoryEnd = ImageSource & ImageTarget;

/** Gives the clients of registries. */
export interface Registries {
  /** Throws a `Failure` when it cannot be said how it is reached. */
  of(host: RegistryHost): Promise<WritableRegistry>;
  /** What comes before every repository there, "" for nothing; the names of a catalog have it too. */
  pathOf(host: RegistryHost): Promise<string>;
}

/** What an end is made into before it is used. */
export type Finish = (end: RepositoryEnd) => RepositoryEnd;

/** The repositories of a job as ends of copies: one object for each, so that what is learnt of it is learnt once. */
export class Ends {
  readonly registries: Registries;
  readonly #finish: Finish;
  readonly #ends = new Map<string, Promise<RepositoryEnd>>();

  constructor(registries: Registries, finish: Finish = (end) => end) {
    this.registries = registries;
    this.#finish = finish;
  }

  of(host: RegistryHost, repository: Repository): Promise<RepositoryEnd> {
    const name = `${host}/${repository}`;
    const end = this.#ends.get(name) ?? this.#open(host, repository);
    this.#ends.set(name, end);
    return end;
  }

  async #open(host: RegistryHost, repository: Repository): Promise<RepositoryEnd> {
    return this.#finish(registryEnd(await this.registries.of(host), repository));
  }
}
