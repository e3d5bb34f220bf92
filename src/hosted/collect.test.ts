import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, utimesSync } from "node:fs";
import { join } from "node:path";
import type { Digest } from "../reference/digest.ts";
import type { RegistryHost } from "../reference/host.ts";
import type { Repository, Tag } from "../reference/repository.ts";
import { HostedBlobs } from "./blobs.ts";
import { type Collected, type CollectionParts, collectHosted } from "./collect.ts";
import { putManifest } from "./manifests.ts";
import { bodyOf, createHostedWorld, digestOf, type HostedWorld, pushTo } from "./testing/hosted-world.ts";

const repository = "team/app" as Repository;
const other = "team/web" as Repository;
const mediaType = "application/vnd.oci.image.manifest.v1+json";
const times = { leaseMs: 1000, uploadMs: 2000 };

let world: HostedWorld;
beforeEach(async () => {
  world = await createHostedWorld();
});
afterEach(() => world[Symbol.asyncDispose]());

async function push(text: string, at = repository): Promise<Digest> {
  const digest = digestOf(text);
  await pushTo(world, at, digest, bodyOf([text]));
  return digest;
}

/** A manifest whose layers are these texts; its digest, or which layer is missing. */
async function tag(texts: readonly string[], name = "v1", at = repository): Promise<string> {
  const layers = texts.map((text) => ({ mediaType: "x/y", digest: digestOf(text), size: text.length }));
  const bytes = new TextEncoder().encode(
    JSON.stringify({ schemaVersion: 2, mediaType, layers, annotations: { name } }),
  );
  const sent = { repository: at, reference: name as Tag, contentType: mediaType, bytes, tags: [] };
  const put = await putManifest(world.index, { ...sent, isImmutable: () => false }, world.nowMs);
  return put.kind === "added" ? put.digest : put.kind;
}

function collect(parts: Partial<CollectionParts> = {}, signal = new AbortController().signal): Promise<Collected> {
  return collectHosted({ ...world, ...parts, nowMs: () => world.nowMs }, times, signal);
}

function isHeld(digest: Digest): boolean {
  return existsSync(world.layout.blob(digest));
}

test("a blob that no manifest names goes once its promise is over, with its file", async () => {
  const [named, loose] = [await push("named"), await push("loose")];
  await tag(["named"]);
  world.nowMs += 1000;
  expect(await collect()).toEqual({ blobs: 0, files: 0, uploads: 0 });
  world.nowMs += 1;
  expect(await collect()).toEqual({ blobs: 1, files: 1, uploads: 0 });
  expect([isHeld(named), isHeld(loose)]).toEqual([true, false]);
  expect(await world.held.blob(loose)).toBeUndefined();
});

test("what a manifest had that was deleted goes, but for what another one names", async () => {
  const [shared, own] = [await push("shared"), await push("own")];
  const first = await tag(["shared", "own"], "first");
  await tag(["shared"], "second");
  world.nowMs += 5000;
  await world.index.removeManifest(repository, first as Digest, ["first" as Tag]);
  expect(await collect()).toEqual({ blobs: 1, files: 1, uploads: 0 });
  expect([isHeld(shared), isHeld(own)]).toEqual([true, false]);
});

test("a file goes with the last repository that has it", async () => {
  const digest = await push("abc");
  await world.blobs.mount(other, digest, repository);
  await tag(["abc"], "v1", other);
  world.nowMs += 5000;
  expect(await collect()).toEqual({ blobs: 1, files: 0, uploads: 0 });
  await world.blobs.remove(other, digest);
  expect(await collect()).toEqual({ blobs: 0, files: 1, uploads: 0 });
  expect(isHeld(digest)).toBe(false);
});

test("a file that the cache holds too stays for the cache", async () => {
  const digest = await push("abc");
  const place = { upstream: "registry.test" as RegistryHost, repository: "b" as Repository };
  await world.held.link(place, digest);
  world.nowMs += 5000;
  expect(await collect()).toEqual({ blobs: 1, files: 0, uploads: 0 });
  expect([isHeld(digest), await world.held.blobAt(place, digest)]).toMatchObject([true, { digest }]);
});

test("more blobs than a page of the walk has are all looked at", async () => {
  for (let i = 0; i < 450; i++)
    await world.index.addBlob(repository, { digest: digestOf(`${i}`), sizeBytes: 1, leasedAtMs: world.nowMs });
  world.nowMs += 5000;
  expect(await collect()).toEqual({ blobs: 450, files: 450, uploads: 0 });
  expect(await world.index.has(repository)).toBe(false);
});

test("uploads that nobody goes on with are swept", async () => {
  const id = await world.uploads.begin(repository);
  const atS = world.nowMs / 1000;
  utimesSync(join(world.layout.uploads, id), atS, atS);
  world.nowMs += 2000;
  expect((await collect()).uploads).toBe(0);
  world.nowMs += 1;
  expect((await collect()).uploads).toBe(1);
  expect(await world.uploads.state(repository, id)).toEqual({ kind: "unknown" });
});

test("a collection that is told to stop takes nothing more", async () => {
  await push("abc");
  world.nowMs += 5000;
  expect(await collect({}, AbortSignal.abort())).toEqual({ blobs: 0, files: 0, uploads: 0 });
});

/** What a push does while a collection is between looking at a blob and deciding on it. */
const meanwhile: readonly [string, (digest: Digest) => Promise<unknown>][] = [
  ["found", (digest) => world.blobs.find(repository, digest)],
  ["pushed again", () => push("abc")],
  ["mounted elsewhere", (digest) => world.blobs.mount(other, digest, repository)],
  ["named by a manifest", () => tag(["abc"])],
];

test.each(meanwhile)("a blob that is %s after it was looked at stays", async (_, act) => {
  const digest = await push("abc");
  world.nowMs += 4_000_000;
  const index = Object.assign(Object.create(world.index) as typeof world.index, {
    collectBlob: async (...asked: Parameters<typeof world.index.collectBlob>) => {
      await act(digest);
      return world.index.collectBlob(...asked);
    },
    blobsAfter: (...asked: Parameters<typeof world.index.blobsAfter>) => world.index.blobsAfter(...asked),
    orphansAfter: (...asked: Parameters<typeof world.index.orphansAfter>) => world.index.orphansAfter(...asked),
    forgetBlob: (asked: Digest) => world.index.forgetBlob(asked),
  });
  expect((await collect({ index })).files).toBe(0);
  const at = (await world.blobs.find(repository, digest)) ?? (await world.blobs.find(other, digest));
  expect([at?.digest, isHeld(digest)]).toEqual([digest, true]);
});

test("a push of a digest whose file is about to go waits for it, and its blob is whole", async () => {
  const digest = await push("abc");
  world.nowMs += 5000;
  let pushed: Promise<Digest> | undefined;
  const forgotten = Promise.withResolvers<void>();
  const content: CollectionParts["content"] = {
    alone: <T>(asked: Digest, work: () => Promise<T>): Promise<T> => world.content.alone(asked, work),
    stat: (asked) => world.content.stat(asked),
    remove: async (asked: Digest) => {
      // Its row is gone, its file is not yet: a push comes now.
      pushed = push("abc");
      forgotten.resolve();
      for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
      await world.content.remove(asked);
    },
  };
  expect(await collect({ content })).toMatchObject({ files: 1 });
  await forgotten.promise;
  expect(await pushed).toBe(digest);
  expect(await world.blobs.find(repository, digest)).toBeDefined();
  expect(isHeld(digest)).toBe(true);
});

test("collections beside pushes lose nothing that was acknowledged, and leave nothing that is nobody's", async () => {
  const stop = new AbortController();
  let collections = 0;
  const collecting = (async () => {
    while (!stop.signal.aborted) {
      await collect();
      collections++;
      world.nowMs += 400;
    }
  })();
  const kept: string[][] = [];
  await Promise.all(
    Array.from({ length: 4 }, async (_, writer) => {
      for (let round = 0; round < 25; round++) {
        // One text is everybody's, one goes through several rounds, one is loose.
        const texts = ["shared", `${writer} ${round % 3}`, `${writer} ${round} own`];
        for (;;) {
          for (const text of [...texts, `${writer} ${round} loose`]) {
            const found = await world.blobs.find(repository, digestOf(text));
            if (found === undefined) await push(text);
          }
          const digest = await tag(texts, `t${writer}-${round}`);
          if (digest === "missing") continue;
          if (round % 2 === 0)
            await world.index.removeManifest(repository, digest as Digest, [`t${writer}-${round}` as Tag]);
          else kept.push(texts);
          break;
        }
      }
    }),
  );
  stop.abort();
  await collecting;
  world.nowMs += 5000;
  await collect();
  const named = new Set(kept.flat());
  for (const text of named)
    expect([text, (await world.blobs.find(repository, digestOf(text)))?.digest, isHeld(digestOf(text))]).toEqual([
      text,
      digestOf(text),
      true,
    ]);
  const members = await world.index.blobsAfter(undefined, 9999);
  expect(members).toHaveLength(named.size);
  expect(collections).toBeGreaterThan(3);
});

test("a blob that was found is there for as long as it was promised, though collections run", async () => {
  const digest = await push("abc");
  const { index, held, content } = world;
  const blobs = new HostedBlobs({ index, held, content, nowMs: () => world.nowMs });
  for (let i = 0; i < 3; i++) {
    world.nowMs += 3_600_001;
    expect(await blobs.find(repository, digest)).toBeDefined();
    expect(await collect()).toMatchObject({ blobs: 0 });
  }
});
