import { expect } from "bun:test";
import { allClients, type Client, type Engines, type Pulled } from "./clients.ts";
import { startContainerd } from "./containerd.ts";
import { startDocker } from "./docker.ts";
import type { Endpoint } from "./endpoint.ts";
import { digestsOf, type ImageFixture } from "./fixtures.ts";
import { createPodman } from "./podman.ts";
import { temporaryFolder } from "./process.ts";

/** Every client's name, for tables: what needs something running is only there once `startClients` is through. */
export const CLIENTS = ["crane", "skopeo", "oras", "regctl", "podman", "containerd", "docker"] as const;

export type ClientName = (typeof CLIENTS)[number];

/** The images that every client pulls: an OCI index, a Docker manifest list, and one OCI manifest. */
export const IMAGES = ["app", "appDocker", "tool"] as const;

/** What may be said apart about a pull; by default it is the image's own tag in its own repository. */
export interface PullOptions {
  readonly repository?: string;
  readonly reference?: string;
  /** containerd only: the registry the image is named after. */
  readonly namespace?: string;
}

/** All clients, and the engines behind three of them. */
export interface Clients extends AsyncDisposable, Engines {
  readonly named: (name: ClientName) => Client;
  /** Pulls with nothing held before; a refusal is a value. */
  pull(name: ClientName, endpoint: Endpoint, image: ImageFixture, options?: PullOptions): Promise<Pulled>;
  /** Pulls, and expects the whole image, or as much of it as this client keeps. */
  expectPull(name: ClientName, endpoint: Endpoint, image: ImageFixture, options?: PullOptions): Promise<void>;
}

/** Starts podman's storage, containerd and Docker, and makes the clients. */
export async function startClients(): Promise<Clients> {
  const [podman, containerd] = await Promise.all([createPodman(), startContainerd()]);
  const engines: Engines = { podman, containerd, docker: await startDocker(containerd) };
  const clients = new Map(allClients(engines).map((client) => [client.name, client]));
  const named = (name: ClientName): Client => {
    const client = clients.get(name);
    if (client === undefined) throw new Error(`no client ${name}`);
    return client;
  };
  const pull: Clients["pull"] = async (name, endpoint, image, options) => {
    await using folder = await temporaryFolder(name);
    const source = { endpoint, repository: image.repository, reference: image.tag, ...options };
    return await named(name).pull(source, folder.path);
  };
  return {
    ...engines,
    named,
    pull,
    expectPull: async (name, endpoint, image, options) => {
      expectPulled(await pull(name, endpoint, image, options), image, named(name).keeps);
    },
    [Symbol.asyncDispose]: async () => {
      await engines.docker[Symbol.asyncDispose]();
      await Promise.all([podman, containerd].map((part) => part[Symbol.asyncDispose]()));
    },
  };
}

/** The digest is the fixture's, and so is everything else this client keeps. */
function expectPulled(pulled: Pulled, image: ImageFixture, keeps: Client["keeps"]): void {
  if (pulled.kind === "refused") throw new Error(pulled.output);
  expect(pulled.digest).toBe(image.manifest.digest);
  const [platform] = image.platforms;
  const wanted = {
    everything: digestsOf(image),
    "one platform": digestsOf(image, "linux/amd64"),
    "manifest and config": [image.manifest.digest, platform!.config.digest],
  }[keeps];
  expect(wanted.filter((digest) => !pulled.content.has(digest))).toEqual([]);
}
