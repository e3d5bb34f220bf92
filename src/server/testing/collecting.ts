import { collectHosted, collectionTimes } from "../../hosted/collect.ts";
import type { Digest } from "../../reference/digest.ts";
import { digestOf } from "../../registry/testing/content.ts";
import { createStoreWorld, imageOf, pushBlob, putManifest } from "./pushing.ts";
import type { World } from "./world.ts";

/** How many collections run beside how many writers. */
export interface CollectingOptions {
  readonly cycles: number;
  readonly writers: number;
  /** Told after each collection. */
  readonly cycle?: (done: number) => void;
}

/** What was pushed and what was taken away; everything wrong is thrown. */
export interface CollectingFigures {
  readonly cycles: number;
  readonly manifests: number;
  readonly mounts: number;
  /** Pushes that took longer than a promise is good for, and had to begin anew. */
  readonly tooSlow: number;
  readonly collectedBlobs: number;
  readonly collectedFiles: number;
}

/** Hours go by in 18 ms, so that what is promised for a day is over in half a second. */
const speed = 200_000;

/**
 * Runs collections without a pause beside writers who push, mount, rely on what they were told is there, and delete. Looks at the
 * end whether all that was acknowledged is there, and nothing is left that nothing names.
 */
export async function pushBesideCollections(options: CollectingOptions): Promise<CollectingFigures> {
  let extraMs = 0;
  const hostedNowMs = (): number => Math.floor(performance.now() * speed) + extraMs;
  await using world = await createStoreWorld({ hostedNowMs });
  const stop = new AbortController();
  const writers = Array.from({ length: options.writers }, (_, n) => new Writer(world, hostedNowMs, n));
  const writing = Promise.all(writers.map((writer) => writer.run(stop.signal)));
  let [collectedBlobs, collectedFiles] = [0, 0];
  const collect = async (): Promise<void> => {
    const { hosted: index, content } = world.storage;
    const parts = { index, content, uploads: { sweep: async () => 0 }, nowMs: hostedNowMs };
    const { blobs, files } = await collectHosted(parts, collectionTimes, new AbortController().signal);
    collectedBlobs += blobs;
    collectedFiles += files;
  };
  for (let cycle = 1; cycle <= options.cycles; cycle++) {
    await Promise.race([writing, collect()]);
    // Writers have their turn as well.
    await Promise.race([writing, Bun.sleep(30)]);
    options.cycle?.(cycle);
  }
  stop.abort();
  await writing;
  extraMs = 2 * collectionTimes.leaseMs;
  await collect();
  await check(world, writers);
  const sum = (of: (writer: Writer) => number): number => writers.reduce((total, writer) => total + of(writer), 0);
  return {
    cycles: options.cycles,
    manifests: sum(({ manifests }) => manifests),
    mounts: sum(({ mounts }) => mounts),
    tooSlow: sum(({ tooSlow }) => tooSlow),
    collectedBlobs,
    collectedFiles,
  };
}

class Writer {
  readonly #world: World;
  readonly #nowMs: () => number;
  readonly repository: string;
  /** Manifests that were acknowledged and not deleted, with their layers. */
  readonly kept = new Map<Digest, readonly string[]>();
  manifests = 0;
  mounts = 0;
  tooSlow = 0;

  constructor(world: World, nowMs: () => number, number: number) {
    this.#world = world;
    this.#nowMs = nowMs;
    this.repository = `team/${number % 2}`;
  }

  async run(signal: AbortSignal): Promise<void> {
    for (let image = 0; !signal.aborted; image++) {
      // Some layers come again and again, some are nobody else's.
      const layers = [`shared ${random(60)}`, `often ${this.repository} ${random(20)}`, crypto.randomUUID()];
      const digest = await this.#push(layers);
      if (digest === undefined) continue;
      this.manifests++;
      if (random(3) > 0) await this.#remove(digest);
      else this.kept.set(digest, layers);
      await Bun.sleep(random(20));
    }
  }

  /** `undefined` when the push took longer than it may rely on what it was told. */
  async #push(layers: readonly string[]): Promise<Digest | undefined> {
    const startedMs = this.#nowMs();
    for (const text of ["{}", ...layers]) await this.#blob(text);
    const text = imageOf(layers, { annotations: { id: crypto.randomUUID() } });
    const reply = await putManifest(this.#world, `${this.repository}/manifests/t${random(10)}`, text);
    if (reply.status === 201) return digestOf(text);
    const tookMs = this.#nowMs() - startedMs;
    if (reply.status !== 404 || tookMs < collectionTimes.leaseMs - 3_600_000)
      throw new Error(`${reply.status} after ${tookMs} ms: ${await reply.text()}`);
    this.tooSlow++;
    return undefined;
  }

  /** As clients do: ask whether it is there, mount it, or push it; what others have as well. */
  async #blob(text: string): Promise<void> {
    const digest = digestOf(text);
    const path = `/v2/${this.repository}/blobs`;
    if ((await this.#world.ask(`${path}/${digest}`, { method: "HEAD" })).status === 200) return;
    if (random(2) === 0) {
      const mount = await this.#world.ask(`${path}/uploads/?mount=${digest}`, { method: "POST" });
      if (mount.status === 201) return void this.mounts++;
    }
    await pushBlob(this.#world, this.repository, text);
  }

  async #remove(digest: Digest): Promise<void> {
    const reply = await this.#world.ask(`/v2/${this.repository}/manifests/${digest}`, { method: "DELETE" });
    if (reply.status !== 202) throw new Error(`DELETE of ${digest}: ${reply.status}`);
  }
}

async function check(world: World, writers: readonly Writer[]): Promise<void> {
  const named = new Set<string>();
  for (const { repository, kept } of writers) {
    for (const [manifest, layers] of kept) {
      const reply = await world.ask(`/v2/${repository}/manifests/${manifest}`);
      if (digestOf(await reply.bytes()) !== manifest) throw new Error(`manifest ${manifest} is lost: ${reply.status}`);
      for (const text of ["{}", ...layers]) named.add(`${repository} ${digestOf(text)}`);
    }
  }
  for (const name of named) {
    const [repository, digest] = name.split(" ");
    const reply = await world.ask(`/v2/${repository}/blobs/${digest}`);
    if (digestOf(await reply.bytes()) !== digest) throw new Error(`blob ${name} is lost: ${reply.status}`);
  }
  const members = await world.storage.hosted.blobsAfter(undefined, 1_000_000);
  if (members.length !== named.size) throw new Error(`${members.length} blobs are left, ${named.size} are named`);
  const files: string[] = [];
  for (const shard of await world.storage.content.shards()) files.push(...(await world.storage.content.list(shard)));
  const digests = new Set(members.map(({ digest }) => digest));
  if (files.length !== digests.size) throw new Error(`${files.length} files are left, ${digests.size} have a row`);
}

function random(below: number): number {
  return Math.floor(Math.random() * below);
}
