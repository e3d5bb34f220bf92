import { expect, test } from "bun:test";
import type { Descriptor } from "../manifest/manifest.ts";
import { FakeRegistry } from "./testing/fake-registry.ts";
import { blob } from "./testing/images.ts";
import { testRun } from "./testing/world.ts";
import { Transfers } from "./transfers.ts";

const MiB = 1024 * 1024;

function descriptorOf({ mediaType, digest }: Pick<Descriptor, "digest" | "mediaType">, sizeBytes: number): Descriptor {
  return { mediaType, digest, sizeBytes, platform: undefined, artifactType: undefined };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

/** How many of so many blobs of a size are on their way at once, where none ever comes to its end by itself. */
async function atOnceOf(sizeBytes: number): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  let under = 0;
  let most = 0;
  const to = new FakeRegistry("to.example", {
    before: async (request) => {
      if (!request.startsWith("PUSH ")) return undefined;
      under += 1;
      most = Math.max(most, under);
      await promise;
      under -= 1;
      return undefined;
    },
  });
  const from = new FakeRegistry("from.example");
  const blobs = Array.from({ length: 12 }, (_, n) => blob(`blob ${n}`));
  from.hold("a", blobs);
  const { parts, clock } = testRun();
  const transfers = new Transfers(parts.asking, 6);
  const brought = blobs.map(({ named }) =>
    transfers.bring({
      source: from.end("a"),
      target: to.end("b"),
      blob: descriptorOf(named, sizeBytes),
      onSent: () => {},
    }),
  );
  await until(() => to.count("HEAD-BLOB ") === blobs.length && under > 0);
  // Whoever could go on has done so by then: nothing here waits for the system, and large ones start 25 ms apart.
  const turns = async (count: number): Promise<void> => {
    for (let turn = 0; turn < count; turn++) {
      clock.advance(25);
      await new Promise((next) => setImmediate(next));
    }
  };
  await turns(20);
  resolve(undefined);
  const all = Promise.all(brought);
  await turns(20);
  expect((await all).map(({ kind }) => kind)).toEqual(blobs.map(() => "sent"));
  return most;
}

test.each([
  [1, 6],
  [64 * MiB, 6],
  [64 * MiB + 1, 3],
])("of blobs of %d bytes %d are on their way at once", async (sizeBytes, count) => {
  expect(await atOnceOf(sizeBytes)).toBe(count);
});
