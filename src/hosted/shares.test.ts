import { expect, test } from "bun:test";
import { Shares } from "./shares.ts";

const pieceBytes = 256 * 1024;
const large = 64;

/** So many pieces that are all there already. */
async function* pieces(count: number): AsyncGenerator<Uint8Array<ArrayBuffer>, void, void> {
  for (let i = 0; i < count; i++) yield new Uint8Array(pieceBytes).fill(i);
}

async function taken(body: AsyncIterable<Uint8Array>, onPiece: () => void = () => undefined): Promise<number[]> {
  const seen: number[] = [];
  for await (const bytes of body) {
    seen.push(bytes[0] ?? -1);
    onPiece();
  }
  return seen;
}

test("all bytes come, in order", async () => {
  expect(await taken(new Shares().of(pieces(large)))).toEqual(Array.from({ length: large }, (_, i) => i));
});

test("something small has its turn while large ones come", async () => {
  const shares = new Shares();
  let smallAfter = -1;
  let pieceCount = 0;
  const bodies = [1, 2, 3].map(() => taken(shares.of(pieces(large)), () => (pieceCount += 1)));
  setImmediate(() => (smallAfter = pieceCount));
  await Promise.all(bodies);
  expect(smallAfter).toBeGreaterThan(0);
  expect(smallAfter).toBeLessThan(large);
});

test("they end in the order in which they began", async () => {
  const shares = new Shares();
  const ended: string[] = [];
  const bodies = ["a", "b", "c"].map(async (name) => {
    await taken(shares.of(pieces(large)));
    ended.push(name);
  });
  await Promise.all(bodies);
  expect(ended).toEqual(["a", "b", "c"]);
});

test("a first one that sends nothing holds up nobody", async () => {
  const shares = new Shares();
  const silent = Promise.withResolvers<void>();
  const first = taken(
    shares.of(
      (async function* () {
        await silent.promise;
        yield* pieces(1);
      })(),
    ),
  );
  expect(await taken(shares.of(pieces(large)))).toHaveLength(large);
  silent.resolve();
  expect(await first).toEqual([0]);
});

test("who stops reading, stops the body, and leaves first place to the next", async () => {
  const shares = new Shares();
  let isEnded = false;
  const body = (async function* () {
    try {
      yield* pieces(large);
    } finally {
      isEnded = true;
    }
  })();
  for await (const _ of shares.of(body)) break;
  expect(isEnded).toBe(true);
  const ended: string[] = [];
  await Promise.all(
    ["a", "b"].map(async (name) => {
      await taken(shares.of(pieces(large)));
      ended.push(name);
    }),
  );
  expect(ended).toEqual(["a", "b"]);
});
